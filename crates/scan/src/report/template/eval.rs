//! Runs a template's tree over a report's findings.

use std::rc::Rc;

use super::TemplateError;
use super::functions;
use super::machine::Machine;
use super::parse::{Branch, Kind, Node, Operand, Pipeline, Tree};
use super::value::Value;

/// How deep templates, blocks and parentheses may be in each other while they run.
const DEEPEST: usize = 160;

type Done<T> = Result<T, TemplateError>;

/// What goes on after a node.
#[derive(PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

pub(super) struct Evaluator<'t, 'm, 'a> {
    pub(super) source: &'t str,
    pub(super) tree: &'t Tree,
    pub(super) machine: &'m mut Machine<'a>,
    variables: Vec<(String, Value)>,
    depth: usize,
}

impl<'t, 'm, 'a> Evaluator<'t, 'm, 'a> {
    pub(super) fn new(source: &'t str, tree: &'t Tree, machine: &'m mut Machine<'a>) -> Self {
        Self { source, tree, machine, variables: Vec::new(), depth: 0 }
    }

    pub(super) fn run(&mut self, data: Value) -> Done<()> {
        self.variables = vec![("$".to_owned(), data.clone())];
        let tree = self.tree;
        self.nodes(&tree.body, &data).map(|_| ())
    }

    fn error<T>(&self, at: usize, what: impl Into<String>) -> Done<T> {
        Err(TemplateError::new(self.source, at, what.into()))
    }

    fn check<T>(&self, at: usize, result: Result<T, String>) -> Done<T> {
        result.or_else(|what| self.error(at, what))
    }

    fn deeper(&mut self, at: usize) -> Done<()> {
        self.depth += 1;
        if self.depth > DEEPEST { self.error(at, "templates call each other too deep") } else { Ok(()) }
    }

    fn nodes(&mut self, nodes: &'t [Node], dot: &Value) -> Done<Flow> {
        for node in nodes {
            match self.node(node, dot)? {
                Flow::On => {}
                stop => return Ok(stop),
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &'t Node, dot: &Value) -> Done<Flow> {
        match node {
            Node::Text(text) => {
                let written = self.machine.write(text);
                self.check(0, written)?;
            }
            Node::Action(pipeline) => self.action(pipeline, dot)?,
            Node::If(branch) => return self.branch(branch, dot, false),
            Node::With(branch) => return self.branch(branch, dot, true),
            Node::Range(branch) => return self.range(branch, dot),
            Node::Template { at, name, argument } => self.template(*at, name, argument.as_ref(), dot)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn action(&mut self, pipeline: &'t Pipeline, dot: &Value) -> Done<()> {
        let value = self.pipeline(pipeline, dot)?;
        if !pipeline.variables.is_empty() {
            return Ok(());
        }
        let written = match &value {
            Value::Nil => self.machine.write("<no value>"),
            Value::Text(text) => self.machine.write(text),
            other => other.show(self.machine).and_then(|text| self.machine.write(&text)),
        };
        self.check(pipeline.at, written)
    }

    fn branch(&mut self, branch: &'t Branch, dot: &Value, is_with: bool) -> Done<Flow> {
        self.deeper(branch.pipeline.at)?;
        let marked = self.variables.len();
        let value = self.pipeline(&branch.pipeline, dot)?;
        let flow = match value.is_true() {
            true => self.nodes(&branch.body, if is_with { &value } else { dot })?,
            false => self.nodes(&branch.otherwise, dot)?,
        };
        self.variables.truncate(marked);
        self.depth -= 1;
        Ok(flow)
    }

    fn range(&mut self, branch: &'t Branch, dot: &Value) -> Done<Flow> {
        let at = branch.pipeline.at;
        self.deeper(at)?;
        let marked = self.variables.len();
        let value = self.commands(&branch.pipeline, dot)?;
        let mut any = false;
        match &value {
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    any = true;
                    if self.turn(branch, Value::Int(index as i64), item)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                let entries: Vec<_> = map.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
                for (key, item) in entries {
                    any = true;
                    if self.turn(branch, Value::text(key), &item)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Int(count) => {
                for index in 0..*count {
                    any = true;
                    if self.turn(branch, Value::Int(index), &Value::Int(index))? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Nil => {}
            other => return self.error(at, format!("range can't iterate over a {}", other.kind())),
        }
        self.variables.truncate(marked);
        let flow = if any { Flow::On } else { self.nodes(&branch.otherwise, dot)? };
        self.depth -= 1;
        Ok(flow)
    }

    /// One turn of a range. The one variable of a range over a number is the number; else of the item.
    fn turn(&mut self, branch: &'t Branch, key: Value, item: &Value) -> Done<Flow> {
        let paid = self.machine.spend(10);
        self.check(branch.pipeline.at, paid)?;
        let marked = self.variables.len();
        let names = &branch.pipeline.variables;
        let values = if names.len() == 2 { vec![key, item.clone()] } else { vec![item.clone()] };
        for (name, value) in names.iter().zip(values) {
            self.set(branch.pipeline.assigns, name, value);
        }
        let flow = self.nodes(&branch.body, item)?;
        self.variables.truncate(marked);
        Ok(flow)
    }

    fn template(&mut self, at: usize, name: &str, argument: Option<&'t Pipeline>, dot: &Value) -> Done<()> {
        self.deeper(at)?;
        let data = argument.map_or(Ok(Value::Nil), |pipeline| self.pipeline(pipeline, dot))?;
        let Some(body) = self.tree.named.get(name) else {
            return self.error(at, format!("template {name:?} not defined"));
        };
        let outside = std::mem::replace(&mut self.variables, vec![("$".to_owned(), data.clone())]);
        self.nodes(body, &data)?;
        self.variables = outside;
        self.depth -= 1;
        Ok(())
    }

    fn set(&mut self, assigns: bool, name: &str, value: Value) {
        if assigns && let Some(known) = self.variables.iter_mut().rev().find(|(known, _)| known == name) {
            known.1 = value;
        } else {
            self.variables.push((name.to_owned(), value));
        }
    }

    fn pipeline(&mut self, pipeline: &'t Pipeline, dot: &Value) -> Done<Value> {
        let value = self.commands(pipeline, dot)?;
        for name in &pipeline.variables {
            self.set(pipeline.assigns, name, value.clone());
        }
        Ok(value)
    }

    fn commands(&mut self, pipeline: &'t Pipeline, dot: &Value) -> Done<Value> {
        let paid = self.machine.spend(10);
        self.check(pipeline.at, paid)?;
        let mut last = None;
        for command in &pipeline.commands {
            last = Some(self.command(command, dot, last)?);
        }
        Ok(last.unwrap_or(Value::Nil))
    }

    fn command(&mut self, operands: &'t [Operand], dot: &Value, last: Option<Value>) -> Done<Value> {
        let Some((first, rest)) = operands.split_first() else { return Ok(Value::Nil) };
        let Kind::Function(name) = &first.kind else {
            if !rest.is_empty() || last.is_some() {
                return self.error(first.at, "can't give argument to non-function");
            }
            return self.operand(first, dot);
        };
        if matches!(name.as_str(), "and" | "or") {
            return self.logic(name == "and", rest, dot, last);
        }
        let mut values = Vec::with_capacity(rest.len() + 1);
        for operand in rest {
            values.push(self.operand(operand, dot)?);
        }
        values.extend(last);
        self.call(first, name, &values)
    }

    /// `and` and `or` look at no more than they need.
    fn logic(&mut self, is_and: bool, rest: &'t [Operand], dot: &Value, last: Option<Value>) -> Done<Value> {
        let mut value = Value::Nil;
        for operand in rest {
            value = self.operand(operand, dot)?;
            if value.is_true() != is_and {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    fn call(&mut self, operand: &Operand, name: &str, values: &[Value]) -> Done<Value> {
        let function = functions::find(name).expect("the parser knows every function");
        let paid = self.machine.spend(10);
        self.check(operand.at, paid)?;
        if values.len() < function.least || values.len() > function.most {
            let wanted = match (function.least, function.most) {
                (least, usize::MAX) => format!("at least {least}"),
                (least, most) if least == most => least.to_string(),
                (least, most) => format!("{least} to {most}"),
            };
            let got = values.len();
            return self.error(operand.at, format!("wrong number of args for {name}: want {wanted} got {got}"));
        }
        let outcome = (function.call)(self.machine, values);
        let value = self.check(operand.at, outcome.map_err(|what| format!("{name}: {what}")))?;
        self.fields(operand, value)
    }

    fn operand(&mut self, operand: &'t Operand, dot: &Value) -> Done<Value> {
        let value = match &operand.kind {
            Kind::Dot => dot.clone(),
            Kind::Nil => Value::Nil,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Int(value) => Value::Int(*value),
            Kind::Float(value) => Value::Float(*value),
            Kind::Text(text) => Value::Text(Rc::from(text.as_str())),
            Kind::Variable(name) => match self.variables.iter().rev().find(|(known, _)| known == name) {
                Some((_, value)) => value.clone(),
                None => return self.error(operand.at, format!("undefined variable: {name}")),
            },
            Kind::Function(name) => return self.call(operand, name, &[]),
            Kind::Pipeline(pipeline) => {
                self.deeper(operand.at)?;
                let value = self.pipeline(pipeline, dot)?;
                self.depth -= 1;
                value
            }
        };
        self.fields(operand, value)
    }

    fn fields(&mut self, operand: &Operand, mut value: Value) -> Done<Value> {
        for name in &operand.fields {
            value = self.check(operand.at, value.field(name, self.machine))?;
            let length = if let Value::Text(text) = &value { text.len() } else { 0 };
            let paid = self.machine.spend(50 + length);
            self.check(operand.at, paid)?;
        }
        Ok(value)
    }
}
