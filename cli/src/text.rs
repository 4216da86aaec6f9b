//! Text for the user: safe to print, whatever a region or a file name holds. Nothing is printed here.

/// The text with its control characters escaped, so that it is one line and moves no cursor.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_format(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Characters that turn the direction of what follows.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Rows as a table: the columns named in `left` to the left, the others, numbers, to the right.
pub fn table(rows: &[Vec<String>], left: &[usize]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths = vec![0; columns];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (i, cell) in row.iter().enumerate() {
            let width = widths[i];
            let cell =
                if left.contains(&i) { format!("{cell:<width$}  ") } else { format!("{cell:>width$}  ") };
            line.push_str(&cell);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A number of bytes for people.
pub fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}

#[cfg(test)]
mod tests {
    use super::{printable, table};

    #[test]
    fn what_a_region_holds_moves_no_cursor() {
        assert_eq!(printable("joint ü 3"), "joint ü 3");
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
        assert_eq!(printable("\u{202e}cod.exe"), "\\u{202e}cod.exe");
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["name".into(), "size".into()], vec!["a".into(), "10".into()]];
        assert_eq!(table(&rows, &[0]), "name  size\na       10\n");
    }
}
