//! Comparing a message with the one that was recorded.

use std::rc::Rc;

use crate::see::types::Type;
use crate::see::value::hex;

/// A message, recorded or live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub tag: u32,
    pub bytes: Vec<u8>,
}

/// The first difference, for people; `None` if there is none. Floats that are no number are alike, as a recording does
/// not tell them apart.
pub fn difference(ty: Option<&Rc<Type>>, recorded: &Message, live: &Message) -> Option<String> {
    if recorded == live {
        return None;
    }
    if recorded.tag != live.tag {
        return Some(format!("tag is {}, was recorded as {}", live.tag, recorded.tag));
    }
    let leaves = ty.and_then(|ty| Some((ty.leaves(&live.bytes)?, ty.leaves(&recorded.bytes)?)));
    let Some((is, was)) = leaves else {
        return Some(format!("is 0x{}, was recorded as 0x{}", hex(&live.bytes), hex(&recorded.bytes)));
    };
    let (is, was) = is.iter().zip(&was).find(|(is, was)| is.json() != was.json())?;
    let path = if is.path.is_empty() { "value" } else { &is.path };
    Some(format!("{path} is {}, was recorded as {}", is.text(), was.text()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::rc::Rc;

    use super::{Message, difference};
    use crate::see::types::{Tree, Type};

    #[test]
    fn the_first_difference_is_named() {
        let tree = Tree::parse("{axis:u32@0;torque:f32@4;size=8}").expect("it adds up");
        let ty = Rc::new(Type { name: "Torque".into(), tree, notes: HashMap::new() });
        let message = |axis: u32, torque: f32| Message {
            tag: 0,
            bytes: [axis.to_le_bytes(), torque.to_le_bytes()].concat(),
        };
        let told = |a: &Message, b: &Message| difference(Some(&ty), a, b);
        assert_eq!(told(&message(1, 0.5), &message(1, 0.5)), None);
        assert_eq!(told(&message(1, f32::NAN), &message(1, f32::INFINITY)), None);
        assert_eq!(
            told(&message(1, 0.5), &message(1, 0.25)).as_deref(),
            Some("torque is 0.25, was recorded as 0.5")
        );
        assert_eq!(told(&message(1, 0.5), &message(2, 9.0)).as_deref(), Some("axis is 2, was recorded as 1"));
        let frame = |tag, bytes: &[u8]| Message { tag, bytes: bytes.to_vec() };
        assert_eq!(
            difference(None, &frame(1, b"a"), &frame(2, b"a")).as_deref(),
            Some("tag is 2, was recorded as 1")
        );
        assert_eq!(
            difference(None, &frame(1, b"a"), &frame(1, b"b")).as_deref(),
            Some("is 0x62, was recorded as 0x61")
        );
    }
}
