//! What the definitions of shapes say. `lib/codec/shape-tree.js` makes them: a JSON text of the members, each a name,
//! or the name and the members of an object, or the same and `1` for rows.

use super::fields::{Content, Layout, Member, Name};
use super::json_text::{NotJson, Scanner, unescaped, unescaped_units};

/// Objects inside each other in a definition. JavaScript makes none that is deeper than 24.
const MAX_DEPTH: usize = 64;

/// The layout that a definition says.
pub fn parse(definition: &str) -> Result<Layout, NotJson> {
    members(&mut Scanner::new(definition.as_bytes()), MAX_DEPTH)
}

fn members(scanner: &mut Scanner<'_>, depth: usize) -> Result<Layout, NotJson> {
    let depth = depth.checked_sub(1).ok_or(NotJson)?;
    let (mut members, mut is_first) = (Vec::new(), true);
    start_of_array(scanner)?;
    while scanner.has_next(b']', &mut is_first)? {
        members.push(member(scanner, depth)?);
    }
    Ok(Layout::new(members))
}

fn member(scanner: &mut Scanner<'_>, depth: usize) -> Result<Member, NotJson> {
    if scanner.peek()? == b'"' {
        return Ok(Member { name: name(scanner)?, content: Content::Field });
    }
    start_of_array(scanner)?;
    let mut is_first = true;
    let mut goes_on = || scanner.has_next(b']', &mut is_first);
    if !goes_on()? {
        return Err(NotJson);
    }
    let name = name(scanner)?;
    if !scanner.has_next(b']', &mut is_first)? {
        return Err(NotJson);
    }
    let inner = members(scanner, depth)?;
    let is_rows = scanner.has_next(b']', &mut is_first)?;
    if is_rows && (scanner.value()? != b"1" || scanner.has_next(b']', &mut is_first)?) {
        return Err(NotJson);
    }
    Ok(Member { name, content: if is_rows { Content::Rows(inner) } else { Content::Object(inner) } })
}

fn start_of_array(scanner: &mut Scanner<'_>) -> Result<(), NotJson> {
    if scanner.peek()? == b'[' { Ok(()) } else { Err(NotJson) }
}

fn name(scanner: &mut Scanner<'_>) -> Result<Name, NotJson> {
    let quoted = scanner.value()?;
    let [b'"', content @ .., b'"'] = quoted else { return Err(NotJson) };
    if let Some(name) = unescaped(quoted) {
        return Ok(Name::Utf8(name.into_bytes().into()));
    }
    let units = unescaped_units(content).ok_or(NotJson)?;
    Ok(Name::Wide(units.into_iter().flat_map(u16::to_le_bytes).collect()))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_definition_lists_members() {
        let layout = parse(r#"["host",["at",["x","\"\ud83d\ude00"]],["rows",["id",["in",[]]],1],"\ud800"]"#).unwrap();
        let names = |name: &str| Name::Utf8(name.as_bytes().into());
        let expected = Layout::new(vec![
            Member { name: names("host"), content: Content::Field },
            Member {
                name: names("at"),
                content: Content::Object(Layout::new(vec![
                    Member { name: names("x"), content: Content::Field },
                    Member { name: names("\"😀"), content: Content::Field },
                ])),
            },
            Member {
                name: names("rows"),
                content: Content::Rows(Layout::new(vec![
                    Member { name: names("id"), content: Content::Field },
                    Member { name: names("in"), content: Content::Object(Layout::new(vec![])) },
                ])),
            },
            Member { name: Name::Wide(Box::new([0x00, 0xd8])), content: Content::Field },
        ]);
        assert_eq!(format!("{layout:?}"), format!("{expected:?}"));
    }

    #[test]
    fn another_text_is_no_definition() {
        for text in [
            "",
            "{}",
            "[",
            "[1]",
            "[[]]",
            r#"["a"#,
            r#"[["a"]]"#,
            r#"[["a",[],2]]"#,
            r#"[["a",[],1,1]]"#,
            r#"[["a","b"]]"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let deep = |depth| format!("{}{}", r#"[["a","#.repeat(depth), "[]".to_owned() + &"]]".repeat(depth));
        assert!(parse(&deep(MAX_DEPTH - 1)).is_ok());
        assert!(parse(&deep(MAX_DEPTH)).is_err());
    }
}
