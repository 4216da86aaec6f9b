//! JSON schemas of described types.

use serde_json::{Map, Value, json};

use super::types::{Notes, Scalar, Tree, Type};

/// The field that holds a value that is no struct: what a schema describes must be an object.
pub const ALONE: &str = "value";

/// The schema of a type's values, as [`value::json`](super::value::json) writes them.
pub fn of(ty: &Type) -> Value {
    let mut schema = match &ty.tree {
        Tree::Struct(_) => tree(ty, &ty.tree, ""),
        alone => {
            let mut properties = Map::new();
            properties.insert(ALONE.into(), tree(ty, alone, ""));
            json!({ "type": "object", "properties": properties })
        }
    };
    if !ty.name.is_empty() {
        schema["title"] = json!(ty.name);
    }
    schema
}

fn tree(ty: &Type, shape: &Tree, path: &str) -> Value {
    let mut schema = match shape {
        Tree::Scalar(Scalar::Float, _) => json!({ "type": "number" }),
        Tree::Scalar(..) => json!({ "type": "integer" }),
        Tree::Array(_, element) => json!({ "type": "array", "items": tree(ty, element, path) }),
        Tree::Struct(fields) => {
            let mut properties = Map::new();
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                properties.insert(name.clone(), tree(ty, field, &path));
            }
            json!({ "type": "object", "properties": properties })
        }
    };
    let Some(notes) = ty.notes.get(path) else { return schema };
    if let Some(told) = describe(notes) {
        schema["description"] = json!(told);
    }
    // For programs; a reader of schemas leaves out what it does not know.
    if let Some(unit) = &notes.unit {
        schema["x-unit"] = json!(unit);
    }
    if !notes.values.is_empty() {
        let names: Map<String, Value> =
            notes.values.iter().map(|(value, name)| (value.to_string(), json!(name))).collect();
        schema["x-names"] = Value::Object(names);
    }
    schema
}

/// What people are told of a field, in one line.
fn describe(notes: &Notes) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend(notes.help.clone());
    parts.extend(notes.unit.as_ref().map(|unit| format!("[{unit}]")));
    if !notes.values.is_empty() {
        let values: Vec<String> =
            notes.values.iter().map(|(value, name)| format!("{value} {name}")).collect();
        parts.push(format!("({})", values.join(", ")));
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{Notes, Tree, Type, of};

    #[test]
    fn a_schema_names_fields_and_units() {
        let tree = Tree::parse("{at:u64@0;joints:[2]{angle:f32@0;size=4}@8;size=16}").expect("it adds up");
        let told = Notes { unit: Some("rad".into()), help: Some("Filtered.".into()), values: Vec::new() };
        let ty = Type { name: "Arm".into(), tree, notes: HashMap::from([("joints.angle".into(), told)]) };
        let schema = of(&ty);
        assert_eq!(schema["title"], "Arm");
        assert_eq!(schema["properties"]["at"]["type"], "integer");
        let angle = &schema["properties"]["joints"]["items"]["properties"]["angle"];
        assert_eq!((&angle["type"], &angle["description"]), (&"number".into(), &"Filtered. [rad]".into()));
        assert_eq!(angle["x-unit"], "rad");
        let alone = Type {
            name: String::new(),
            tree: Tree::parse("f64").expect("it adds up"),
            notes: HashMap::new(),
        };
        assert_eq!(of(&alone)["properties"]["value"]["type"], "number");
    }
}
