//! Paths as SOPS counts: in its lists comments are elements too.

use document::{Element, Map, Path, Step, Value};

use crate::error::SopsError;

/// `path` with list positions that count comments, turned into one that counts values only.
///
/// # Errors
/// [`SopsError::Path`] when a position is that of a comment.
pub fn sops_path(root: &Map, path: &Path) -> Result<Path, SopsError> {
    let mut out = Path::default();
    let mut here: Option<&Value> = None;
    for (depth, step) in path.0.iter().enumerate() {
        let (next, step) = match (step, here) {
            (Step::Key(key), None) if depth == 0 => (root.get(key), step.clone()),
            (Step::Key(key), Some(Value::Map(map))) => (map.get(key), step.clone()),
            (Step::Index(index), Some(Value::List(list))) => {
                let comments = list.items.iter().take(*index).filter(|item| matches!(item, Element::Comment(_)));
                let counted = Step::Index(index - comments.count());
                match list.items.get(*index) {
                    Some(Element::Node(node)) => (Some(node), counted),
                    Some(Element::Comment(_)) => {
                        let part = Path(path.0[..=depth].to_vec());
                        return Err(SopsError::Path(format!("{part} is a comment")));
                    }
                    None => (None, counted),
                }
            }
            _ => (None, step.clone()),
        };
        here = next.map(|node| &node.value);
        out.0.push(step);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::parse_path;
    use document::{Comment, List, Node};

    #[test]
    fn comments_count() {
        let comment = || Element::Comment(Comment { text: "c".into(), inline: false, span: None });
        let node = || Element::Node(Node::new(Value::Int(1)));
        let mut map = Map::default();
        map.push("l", Value::List(List { items: vec![node(), comment(), node()] }));
        let counted = |text: &str| sops_path(&map, &parse_path(text).unwrap()).map(|path| path.to_string());
        assert_eq!(counted(r#"["l"][0]"#).unwrap(), r#"["l"][0]"#);
        assert!(counted(r#"["l"][1]"#).unwrap_err().to_string().contains("is a comment"));
        assert_eq!(counted(r#"["l"][2]"#).unwrap(), r#"["l"][1]"#);
        assert_eq!(counted(r#"["l"][9]"#).unwrap(), r#"["l"][8]"#);
        assert_eq!(counted(r#"["none"][2]["x"]"#).unwrap(), r#"["none"][2]["x"]"#);
    }
}
