//! Maps and lists, in block and flow style, with comments in every place.

use super::Writer;

impl Writer {
    /// Entries of a block map, each on lines of its own.
    pub(super) fn entries(&mut self, column: usize, count: usize, depth: usize) {
        for number in 0..count {
            self.lines_above(column, number);
            self.indent(column);
            let key = self.key();
            self.push(&key);
            self.push(":");
            self.value(column, depth);
        }
    }

    pub(super) fn indent(&mut self, column: usize) {
        self.text.extend(std::iter::repeat_n(' ', column));
    }

    fn lines_above(&mut self, column: usize, number: usize) {
        if number > 0 && self.dice.chance(12) {
            self.push("\n");
        }
        if self.dice.chance(15) {
            self.note("comment above");
            self.comment_line(column);
        }
    }

    fn comment_line(&mut self, column: usize) {
        self.indent(column);
        match self.dice.below(6) {
            0 => {
                self.note("comment without space");
                self.push("#no space here\n");
            }
            1 => {
                self.note("comment with unicode");
                self.push("# Schlüssel für später ✓\n");
            }
            2 => self.push(
                "# old: value, kept \"just in case\"\n#   - and more of it\n"
                    .replace("\n#", &format!("\n{}#", " ".repeat(column)))
                    .as_str(),
            ),
            _ => self.push("# rotated every quarter\n"),
        }
    }

    /// Whatever stands after `key:`, up to and with the end of its last line.
    fn value(&mut self, column: usize, depth: usize) {
        let roll = self.dice.below(100);
        match roll {
            0..10 if depth > 0 => self.nested_map(column, depth),
            10..18 if depth > 0 => self.block_list(column, depth),
            18..23 => self.flow_value(column),
            23..26 => self.anchored_map(column, depth),
            26..29 if !self.map_anchors.is_empty() => self.merging_map(column),
            29..33 => self.alias(),
            33..43 => self.block_scalar(column),
            43..48 => self.scalar_over_lines(column),
            _ => {
                self.push(" ");
                self.tag_or_anchor();
                self.scalar();
                self.end_of_line();
            }
        }
    }

    fn nested_map(&mut self, column: usize, depth: usize) {
        self.note("nested map");
        self.end_of_line();
        let count = 1 + self.dice.below(4);
        self.entries(column + self.step, count, depth - 1);
    }

    fn anchored_map(&mut self, column: usize, depth: usize) {
        self.names += 1;
        let name = format!("base{}", self.names);
        self.push(&format!(" &{name}\n"));
        let count = 1 + self.dice.below(3);
        self.entries(column + self.step, count, depth.min(1).saturating_sub(1));
        self.map_anchors.push(name);
    }

    fn merging_map(&mut self, column: usize) {
        self.note("merge");
        let name = self.dice.pick(&self.map_anchors).clone();
        self.push("\n");
        self.indent(column + self.step);
        self.push(&format!("<<: *{name}\n"));
        let count = 1 + self.dice.below(2);
        self.entries(column + self.step, count, 0);
    }

    fn alias(&mut self) {
        let collections = !self.map_anchors.is_empty() && self.dice.chance(80);
        let anchors = if collections { &self.map_anchors } else { &self.scalar_anchors };
        if anchors.is_empty() {
            self.push(" none yet\n");
            return;
        }
        let name = self.dice.pick(anchors).clone();
        self.note(if collections { "alias to a collection" } else { "alias" });
        self.push(&format!(" *{name}\n"));
    }

    fn block_list(&mut self, column: usize, depth: usize) {
        self.push("\n");
        let inside = if self.dice.chance(50) {
            column + self.step
        } else {
            self.note("list below its key's column");
            column
        };
        for _ in 0..=self.dice.below(4) {
            if self.dice.chance(8) {
                self.note("comment in a list");
                self.comment_line(inside);
            }
            self.indent(inside);
            self.item(inside, depth);
        }
    }

    /// One list item, from its dash to the end of its last line.
    fn item(&mut self, column: usize, depth: usize) {
        match self.dice.below(10) {
            0 | 1 if depth > 0 => {
                self.note("list of maps");
                let key = self.key();
                self.push(&format!("- {key}: "));
                self.scalar();
                self.end_of_line();
                let count = self.dice.below(3);
                self.entries(column + 2, count, depth - 1);
            }
            2 => {
                self.note("list of lists");
                self.push("- - ");
                self.scalar();
                self.end_of_line();
                self.indent(column + 2);
                self.push("- ");
                self.scalar();
                self.end_of_line();
            }
            _ => {
                self.push("- ");
                self.tag_or_anchor();
                self.scalar();
                self.end_of_line();
            }
        }
    }

    fn flow_value(&mut self, column: usize) {
        match self.dice.below(6) {
            0 => {
                self.note("empty flow map");
                self.push(" {}");
            }
            1 => {
                self.note("empty flow list");
                self.push(" []");
            }
            2 | 3 => self.flow_map(column),
            _ => self.flow_list(column),
        }
        self.end_of_line();
    }

    fn flow_map(&mut self, column: usize) {
        self.note("flow map");
        self.push(" {");
        for number in 0..=self.dice.below(3) {
            self.flow_separator(column, number);
            let key = self.key();
            self.push(&format!("{key}: "));
            self.flow_scalar();
        }
        self.push("}");
    }

    fn flow_list(&mut self, column: usize) {
        self.note("flow list");
        self.push(" [");
        for number in 0..=self.dice.below(4) {
            self.flow_separator(column, number);
            self.flow_scalar();
        }
        self.push("]");
    }

    fn flow_separator(&mut self, column: usize, number: usize) {
        if number == 0 {
            return;
        }
        if self.dice.chance(12) {
            self.note("flow over lines");
            self.push(",\n");
            self.indent(column + 4);
        } else {
            self.push(", ");
        }
    }
}
