//! Templates as trees. Whatever can be known wrong before anything is written is found here: unknown functions and
//! variables, missing ends.

use std::collections::HashMap;

use super::TemplateError;
use super::functions;
use super::lex::{Item, Token, items};

/// How deep blocks and parentheses may be nested.
const DEEPEST: usize = 60;

/// The body of a template and of all that it defines.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) body: Vec<Node>,
    pub(super) named: HashMap<String, Vec<Node>>,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipeline),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template { at: usize, name: String, argument: Option<Pipeline> },
    Break,
    Continue,
}

#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) pipeline: Pipeline,
    pub(super) body: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Pipeline {
    pub(super) at: usize,
    /// Variables that take its value.
    pub(super) variables: Vec<String>,
    /// They exist already (`=`).
    pub(super) assigns: bool,
    pub(super) commands: Vec<Vec<Operand>>,
}

#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) at: usize,
    pub(super) kind: Kind,
    /// Fields taken of it, outermost last.
    pub(super) fields: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Dot,
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Variable(String),
    Function(String),
    Pipeline(Box<Pipeline>),
}

type Parsed<T> = Result<T, TemplateError>;

/// Parses a whole template.
pub(super) fn parse(source: &str) -> Parsed<Tree> {
    let mut parser = Parser {
        source,
        items: items(source)?,
        next: 0,
        variables: vec!["$".to_owned()],
        ranges: 0,
        depth: 0,
        tree: Tree::default(),
    };
    let (body, end) = parser.nodes()?;
    if let Some(at) = end.place() {
        return parser.error(at, format!("unexpected {{{{{}}}}}", end.word()));
    }
    parser.tree.body = body;
    Ok(parser.tree)
}

/// What ended a list of nodes.
enum Ending {
    Source,
    End(usize),
    Else(usize),
}

impl Ending {
    fn place(&self) -> Option<usize> {
        match self {
            Self::Source => None,
            Self::End(at) | Self::Else(at) => Some(*at),
        }
    }

    fn word(&self) -> &'static str {
        if matches!(self, Self::Else(_)) { "else" } else { "end" }
    }
}

struct Parser<'s> {
    source: &'s str,
    items: Vec<Item>,
    next: usize,
    /// Variables in sight.
    variables: Vec<String>,
    /// How many ranges we are in.
    ranges: usize,
    depth: usize,
    tree: Tree,
}

impl Parser<'_> {
    fn error<T>(&self, at: usize, what: impl Into<String>) -> Parsed<T> {
        Err(TemplateError::new(self.source, at, what.into()))
    }

    fn peek(&self) -> Option<&Token> {
        self.items.get(self.next).map(|item| &item.token)
    }

    fn here(&self) -> usize {
        self.items.get(self.next).map_or(self.source.len(), |item| item.at)
    }

    fn take(&mut self, token: &Token) -> bool {
        let is_it = self.peek() == Some(token);
        self.next += usize::from(is_it);
        is_it
    }

    fn blanks(&mut self) {
        while self.take(&Token::Space) {}
    }

    fn close(&mut self) -> Parsed<()> {
        self.blanks();
        if self.take(&Token::Close) { Ok(()) } else { self.error(self.here(), "expected }}") }
    }

    /// Nodes up to the end of the source, an `end` or an `else`; the word itself is taken, what follows it is not.
    fn nodes(&mut self) -> Parsed<(Vec<Node>, Ending)> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.error(self.here(), "nested too deep");
        }
        let mut nodes = Vec::new();
        let ending = loop {
            let at = self.here();
            match self.peek().cloned() {
                None => break Ending::Source,
                Some(Token::Text(text)) => {
                    self.next += 1;
                    nodes.push(Node::Text(text));
                }
                Some(_) => {
                    self.next += 1;
                    self.blanks();
                    match self.peek().cloned() {
                        Some(Token::Word(word)) if word == "end" => {
                            self.next += 1;
                            self.close()?;
                            break Ending::End(at);
                        }
                        Some(Token::Word(word)) if word == "else" => {
                            self.next += 1;
                            break Ending::Else(at);
                        }
                        Some(Token::Word(word)) => nodes.extend(self.keyword(at, &word)?),
                        _ => nodes.push(Node::Action(self.action(at)?)),
                    }
                }
            }
        };
        self.depth -= 1;
        Ok((nodes, ending))
    }

    fn keyword(&mut self, at: usize, word: &str) -> Parsed<Option<Node>> {
        let is_keyword =
            matches!(word, "if" | "with" | "range" | "template" | "block" | "define" | "break" | "continue");
        self.next += usize::from(is_keyword);
        Ok(match word {
            "if" => Some(Node::If(self.branch(at, word)?)),
            "with" => Some(Node::With(self.branch(at, word)?)),
            "range" => Some(Node::Range(self.branch(at, word)?)),
            "break" | "continue" => {
                if self.ranges == 0 {
                    return self.error(at, format!("{{{{{word}}}}} outside {{{{range}}}}"));
                }
                self.close()?;
                Some(if word == "break" { Node::Break } else { Node::Continue })
            }
            "template" => Some(self.template(at)?),
            "block" => Some(self.block(at)?),
            "define" => {
                if self.depth > 1 {
                    return self.error(at, "unexpected {{define}}");
                }
                let name = self.name("define")?;
                self.close()?;
                self.definition(at, name)?;
                None
            }
            _ => Some(Node::Action(self.action(at)?)),
        })
    }

    fn action(&mut self, at: usize) -> Parsed<Pipeline> {
        let pipeline = self.pipeline(at, false)?;
        self.close()?;
        Ok(pipeline)
    }

    /// The rest of an `if`, `with` or `range`, up to and with its `end`.
    fn branch(&mut self, at: usize, word: &str) -> Parsed<Branch> {
        let marked = self.variables.len();
        let is_range = word == "range";
        let pipeline = self.pipeline(at, is_range)?;
        self.close()?;
        self.ranges += usize::from(is_range);
        let (body, ending) = self.nodes()?;
        self.ranges -= usize::from(is_range);
        let otherwise = match ending {
            Ending::End(_) => Vec::new(),
            Ending::Source => return self.error(at, format!("{{{{{word}}}}} without {{{{end}}}}")),
            Ending::Else(_) => self.otherwise(at, word)?,
        };
        self.variables.truncate(marked);
        Ok(Branch { pipeline, body, otherwise })
    }

    /// What follows `else`: another `if` (or `with`) that shares the end, or nodes up to the end.
    fn otherwise(&mut self, at: usize, word: &str) -> Parsed<Vec<Node>> {
        self.blanks();
        let again = self.here();
        if word != "range" && self.peek() == Some(&Token::Word(word.to_owned())) {
            self.next += 1;
            self.depth += 1;
            if self.depth > DEEPEST {
                return self.error(again, "nested too deep");
            }
            let branch = self.branch(again, word)?;
            self.depth -= 1;
            return Ok(vec![if word == "if" { Node::If(branch) } else { Node::With(branch) }]);
        }
        self.close()?;
        match self.nodes()? {
            (nodes, Ending::End(_)) => Ok(nodes),
            (_, Ending::Else(second)) => self.error(second, "expected end; found {{else}}"),
            (_, Ending::Source) => self.error(at, format!("{{{{{word}}}}} without {{{{end}}}}")),
        }
    }

    fn name(&mut self, word: &str) -> Parsed<String> {
        self.blanks();
        match self.peek().cloned() {
            Some(Token::Quoted(name)) => {
                self.next += 1;
                Ok(name)
            }
            _ => self.error(self.here(), format!("{{{{{word}}}}} wants a name in quotes")),
        }
    }

    fn template(&mut self, at: usize) -> Parsed<Node> {
        let name = self.name("template")?;
        self.blanks();
        let argument = match self.peek() {
            Some(Token::Close) => None,
            _ => Some(self.pipeline(at, false)?),
        };
        self.close()?;
        Ok(Node::Template { at, name, argument })
    }

    fn block(&mut self, at: usize) -> Parsed<Node> {
        let name = self.name("block")?;
        self.blanks();
        let argument = Some(self.pipeline(at, false)?);
        self.close()?;
        self.definition(at, name.clone())?;
        Ok(Node::Template { at, name, argument })
    }

    fn definition(&mut self, at: usize, name: String) -> Parsed<()> {
        let outside = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let ranges = std::mem::take(&mut self.ranges);
        let (body, ending) = self.nodes()?;
        (self.variables, self.ranges) = (outside, ranges);
        match ending {
            Ending::End(_) => {
                self.tree.named.insert(name, body);
                Ok(())
            }
            Ending::Else(second) => self.error(second, "unexpected {{else}}"),
            Ending::Source => self.error(at, "{{define}} without {{end}}"),
        }
    }

    fn pipeline(&mut self, at: usize, is_range: bool) -> Parsed<Pipeline> {
        let (variables, assigns) = self.variables_before(is_range)?;
        let mut commands = vec![self.command()?];
        while self.take(&Token::Pipe) {
            commands.push(self.command()?);
            let first = commands.last().and_then(|command| command.first());
            if first.is_some_and(|first| !matches!(first.kind, Kind::Function(_) | Kind::Pipeline(_))) {
                return self.error(first.map_or(at, |first| first.at), "only a function can stand behind |");
            }
        }
        if assigns {
            for name in &variables {
                self.check_variable(at, name)?;
            }
        } else {
            self.variables.extend(variables.iter().cloned());
        }
        Ok(Pipeline { at, variables, assigns, commands })
    }

    /// `$x :=`, `$x =`, and for ranges `$i, $x :=`.
    fn variables_before(&mut self, is_range: bool) -> Parsed<(Vec<String>, bool)> {
        self.blanks();
        let start = self.next;
        let mut names = Vec::new();
        while let Some(Token::Variable(name)) = self.peek().cloned() {
            self.next += 1;
            names.push(name);
            self.blanks();
            if self.take(&Token::Declare) {
                return Ok((names, false));
            }
            if self.take(&Token::Assign) {
                return Ok((names, true));
            }
            if !(is_range && names.len() < 2 && self.take(&Token::Comma)) {
                break;
            }
            self.blanks();
        }
        self.next = start;
        Ok((Vec::new(), false))
    }

    fn check_variable(&self, at: usize, name: &str) -> Parsed<()> {
        if self.variables.iter().any(|known| known == name) {
            return Ok(());
        }
        self.error(at, format!("undefined variable {name:?}"))
    }

    fn command(&mut self) -> Parsed<Vec<Operand>> {
        let mut operands = Vec::new();
        loop {
            self.blanks();
            let at = self.here();
            match self.peek() {
                Some(Token::Pipe | Token::Right | Token::Close) | None => break,
                _ => operands.push(self.operand(at)?),
            }
            let parted = matches!(self.peek(), Some(Token::Space | Token::Pipe | Token::Right | Token::Close) | None);
            if !parted && !matches!(self.peek(), Some(Token::Left)) {
                return self.error(self.here(), "unexpected word in operand");
            }
        }
        if operands.is_empty() {
            return self.error(self.here(), "missing value for command");
        }
        if matches!(operands[0].kind, Kind::Nil) {
            return self.error(operands[0].at, "nil is not a command");
        }
        Ok(operands)
    }

    fn operand(&mut self, at: usize) -> Parsed<Operand> {
        let Some(token) = self.peek().cloned() else { return self.error(at, "unclosed action") };
        self.next += 1;
        let mut fields = Vec::new();
        let kind = match token {
            Token::Dot => Kind::Dot,
            Token::Field(name) => {
                fields.push(name);
                Kind::Dot
            }
            Token::Variable(name) => {
                self.check_variable(at, &name)?;
                Kind::Variable(name)
            }
            Token::Quoted(text) => Kind::Text(text),
            Token::Int(number) => Kind::Int(number),
            Token::Float(number) => Kind::Float(number),
            Token::Word(word) => self.named(at, word)?,
            Token::Left => self.parenthesis(at)?,
            _ => return self.error(at, "unexpected word in command"),
        };
        while let Some(Token::Field(name)) = self.peek().cloned() {
            self.next += 1;
            fields.push(name);
        }
        Ok(Operand { at, kind, fields })
    }

    fn named(&self, at: usize, word: String) -> Parsed<Kind> {
        match word.as_str() {
            "true" => Ok(Kind::Bool(true)),
            "false" => Ok(Kind::Bool(false)),
            "nil" => Ok(Kind::Nil),
            _ if functions::find(&word).is_some() => Ok(Kind::Function(word)),
            _ => self.error(at, functions::why_not(&word)),
        }
    }

    fn parenthesis(&mut self, at: usize) -> Parsed<Kind> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.error(at, "nested too deep");
        }
        let pipeline = self.pipeline(at, false)?;
        self.depth -= 1;
        self.blanks();
        if !self.take(&Token::Right) {
            return self.error(at, "unclosed left paren");
        }
        Ok(Kind::Pipeline(Box::new(pipeline)))
    }
}
