//! Lines, blanks and waiting comments: the part of go-yaml's emitter that decides where a line starts.

use secret::SecretBytes;
use zeroize::Zeroizing;

use super::scalar;

/// The lines of a comment, without their signs.
pub(super) type Lines<'t> = Vec<&'t [u8]>;

/// Comments that wait for the next place where their kind may stand.
#[derive(Default)]
pub(super) struct Slots<'t> {
    head: Lines<'t>,
    line: Lines<'t>,
    foot: Lines<'t>,
    tail: Lines<'t>,
    key: Lines<'t>,
}

impl<'t> Slots<'t> {
    /// Comments of a node that begins or ends: each takes its slot, whatever waits there is lost.
    pub(super) fn note(&mut self, head: Lines<'t>, line: Lines<'t>, foot: Lines<'t>) {
        for (slot, lines) in [(&mut self.head, head), (&mut self.line, line), (&mut self.foot, foot)] {
            if !lines.is_empty() {
                *slot = lines;
            }
        }
    }

    /// Comments behind the last entry of a map.
    pub(super) fn note_tail(&mut self, tail: Lines<'t>) {
        if !tail.is_empty() {
            self.tail = tail;
        }
    }

    /// A line comment that still waits when a key comes is written behind that key's value.
    pub(super) fn keep_for_key(&mut self) {
        if !self.line.is_empty() {
            self.key = std::mem::take(&mut self.line);
        }
    }
}

/// The text so far and what the next line needs to know about it.
pub(super) struct Layout<'t> {
    out: Zeroizing<Vec<u8>>,
    /// Offset of the current line.
    line_start: usize,
    /// Blanks per level.
    step: usize,
    /// Indentation of the current collection; `None` outside of the root.
    pub(super) indent: Option<usize>,
    /// The last byte is a blank or the start of a line.
    blank: bool,
    /// The current line holds nothing but indentation and indicators.
    indenting: bool,
    /// For a part of a file: indentation hints say where the text stands. go-yaml's say a whole step, which is wrong for
    /// elements of lists.
    pub(super) exact: bool,
    /// Indentation of a foot comment that was just written: a blank line parts it from what follows there.
    foot_indent: Option<usize>,
    pub(super) slots: Slots<'t>,
}

impl<'t> Layout<'t> {
    pub(super) fn new(step: usize) -> Self {
        Self {
            out: Zeroizing::default(),
            line_start: 0,
            step,
            indent: None,
            blank: true,
            indenting: true,
            exact: false,
            foot_indent: None,
            slots: Slots::default(),
        }
    }

    pub(super) fn finish(mut self) -> SecretBytes {
        SecretBytes::new(std::mem::take(&mut *self.out))
    }

    /// Enters a collection (or a scalar, which counts like a flow collection) and gives back the outer indentation.
    pub(super) fn deeper(&mut self, element: bool, flow: bool) -> Option<usize> {
        let outer = self.indent;
        self.indent = Some(match outer {
            None if flow => self.step,
            None => 0,
            Some(indent) if element => indent + 2,
            Some(indent) => (indent / self.step + 1) * self.step,
        });
        outer
    }

    fn column(&self) -> usize {
        self.out.len() - self.line_start
    }

    fn push(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn content(&mut self, bytes: &[u8]) {
        self.push(bytes);
        self.indenting = false;
    }

    fn end_line(&mut self) {
        self.push_break(b"\n");
    }

    fn push_break(&mut self, bytes: &[u8]) {
        self.push(bytes);
        self.line_start = self.out.len();
        self.indenting = true;
    }

    fn space(&mut self) {
        if !self.blank {
            self.out.push(b' ');
        }
    }

    /// Starts a line at the current indentation, unless it has just been started.
    pub(super) fn new_line(&mut self) {
        let indent = self.indent.unwrap_or(0);
        let column = self.column();
        if !self.indenting || column > indent || (column == indent && !self.blank) {
            self.end_line();
        }
        if self.foot_indent.take() == Some(indent) {
            self.end_line();
        }
        let filled = self.out.len().max(self.line_start + indent);
        self.out.resize(filled, b' ');
        self.blank = true;
    }

    /// An indicator with a blank in front; `indents` if a collection may start behind it on the same line.
    pub(super) fn indicator(&mut self, sign: &[u8], indents: bool, blank: bool) {
        self.space();
        self.push(sign);
        self.blank = blank;
        self.indenting &= indents;
    }

    pub(super) fn colon(&mut self) {
        self.content(b":");
        self.blank = false;
    }

    pub(super) fn tag(&mut self, tag: &[u8]) {
        self.space();
        self.content(tag);
        self.blank = false;
    }

    pub(super) fn plain(&mut self, text: &[u8]) {
        self.space();
        self.content(text);
        self.blank = false;
    }

    pub(super) fn double(&mut self, text: &str) {
        self.space();
        scalar::push_double(&mut self.out, text, scalar::Wide::Escaped);
        self.content(b"");
        self.blank = false;
    }

    /// Single quotes; the only breaks that can be inside are U+2028 and U+2029.
    pub(super) fn single(&mut self, text: &[u8]) {
        self.space();
        self.content(b"'");
        self.blank = false;
        let mut at = 0;
        let mut broken = false;
        while let Some((stop, width)) = scalar::next_break(text, at) {
            self.quoted_part(&text[at..stop], broken);
            self.push_break(&text[stop..stop + width]);
            (at, broken) = (stop + width, true);
        }
        self.quoted_part(&text[at..], broken);
        self.content(b"'");
        self.blank = false;
    }

    fn quoted_part(&mut self, part: &[u8], broken: bool) {
        if part.is_empty() {
            return;
        }
        if broken {
            self.new_line();
        }
        scalar::push_quotes_doubled(&mut self.out, part);
        self.indenting = false;
    }

    /// A literal block in a collection at column `outer`.
    pub(super) fn literal(&mut self, text: &[u8], outer: Option<usize>) {
        self.indicator(b"|", false, false);
        if text[0] == b' ' || scalar::break_width(text, 0) > 0 {
            let depth = self.indent.unwrap_or(0) - outer.unwrap_or(0);
            let hint = u8::try_from(if self.exact { depth } else { self.step }).expect("a step is below 10");
            self.content(&[b'0' + hint]);
        }
        self.content(scalar::chomping(text));
        if self.slots.line.is_empty() {
            self.end_line();
        } else {
            self.line_comment();
        }
        self.blank = true;
        let mut at = 0;
        while at < text.len() {
            let (stop, width) = scalar::next_break(text, at).unwrap_or((text.len(), 0));
            if stop > at {
                self.new_line();
                self.content(&text[at..stop]);
            }
            if width > 0 {
                self.push_break(&text[stop..stop + width]);
            }
            at = stop + width;
        }
    }

    /// `{}` or `[]`; comments inside or behind it come from the slots.
    pub(super) fn empty(&mut self, signs: [u8; 2], line: Lines<'t>, foot: Lines<'t>, element: bool) {
        self.indicator(&signs[..1], false, true);
        let outer = self.deeper(element, true);
        self.slots.note(Lines::new(), line, foot);
        if signs[0] == b'{' {
            self.head_comment();
        }
        self.indent = outer;
        if signs[0] == b'[' && self.column() == 0 {
            self.new_line();
        }
        self.content(&signs[1..]);
        self.blank = false;
        self.trail();
    }

    pub(super) fn head_comment(&mut self) {
        let tail = std::mem::take(&mut self.slots.tail);
        if !tail.is_empty() {
            self.new_line();
            self.comment(&tail);
            self.foot_indent = Some(self.indent.unwrap_or(0));
        }
        let head = std::mem::take(&mut self.slots.head);
        if !head.is_empty() {
            self.new_line();
            self.comment(&head);
        }
    }

    /// A head comment that found no place in the document before.
    pub(super) fn leftover_head(&mut self) {
        if !self.slots.head.is_empty() {
            self.head_comment();
            self.end_line();
        }
    }

    /// Line and foot comments behind a node.
    pub(super) fn trail(&mut self) {
        self.line_comment();
        self.foot_comment();
    }

    fn line_comment(&mut self) {
        let line = std::mem::take(&mut self.slots.line);
        if !line.is_empty() {
            self.space();
            self.comment(&line);
        }
    }

    fn foot_comment(&mut self) {
        let foot = std::mem::take(&mut self.slots.foot);
        if !foot.is_empty() {
            self.new_line();
            self.comment(&foot);
            self.foot_indent = Some(self.indent.unwrap_or(0));
        }
    }

    /// What waits for the value of a key: before a collection it is written at once, a scalar takes it as its own
    /// if it has none.
    pub(super) fn key_comment(&mut self, collection: bool) {
        if self.slots.key.is_empty() {
            return;
        }
        if collection {
            let waiting = std::mem::replace(&mut self.slots.line, std::mem::take(&mut self.slots.key));
            self.line_comment();
            self.slots.line = waiting;
        } else if self.slots.line.is_empty() {
            self.slots.line = std::mem::take(&mut self.slots.key);
        }
    }

    pub(super) fn end_document(&mut self) {
        self.foot_indent = Some(0);
        self.foot_comment();
        self.foot_indent = None;
        self.new_line();
    }

    /// Comment lines, each with its sign at the current indentation.
    fn comment(&mut self, lines: &[&[u8]]) {
        let mut broken = false;
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                self.end_line();
                self.new_line();
            }
            self.content(b"#");
            broken = self.comment_line(line);
        }
        if !broken {
            self.end_line();
        }
        self.blank = true;
    }

    /// The rest of a comment line; a break inside it starts another one. Tells whether it ended with a break.
    fn comment_line(&mut self, text: &[u8]) -> bool {
        let (mut at, mut broken) = (0, false);
        loop {
            let (stop, width) = scalar::next_break(text, at).unwrap_or((text.len(), 0));
            if stop > at {
                if broken {
                    self.new_line();
                    if text[at] != b'#' {
                        self.push(b"# ");
                    }
                }
                self.content(&text[at..stop]);
                broken = false;
            }
            if width == 0 {
                return broken;
            }
            self.push_break(&text[stop..stop + width]);
            broken = true;
            at = stop + width;
        }
    }
}
