//! `strait watch`: the values of channels as they come.

use std::io::{ErrorKind, Write, stdout};
use std::thread;
use std::time::{Duration, Instant};

use crate::args::Watch;
use crate::error::{Error, Result, reason_and_advice};
use crate::see::show::Shown;
use crate::see::{Followed, Scene, field_of};
use crate::text::printable;

/// How long to sleep when nothing has come.
const PAUSE: Duration = Duration::from_millis(1);
/// How often to look whether the region is still there.
const CHECK: Duration = Duration::from_millis(500);

/// Prints what comes, until the region is gone, `count` lines are printed, or nobody reads them.
pub fn run(wanted: &Watch) -> Result<()> {
    let scene = Scene::open(&wanted.region)?;
    let mut views = View::all(&scene, wanted)?;
    let mut out = Out { lines: String::new(), left: wanted.count };
    let (mut checked, mut printed) = (Instant::now(), Instant::now());
    loop {
        let mut came = 0;
        for view in &mut views {
            came += view.take(wanted, &mut out)?;
        }
        let is_due = wanted.every.is_none_or(|every| printed.elapsed() >= every);
        if is_due || came == 0 && scene.is_still {
            printed = Instant::now();
            views.iter_mut().for_each(|view| view.print_kept(&mut out));
        }
        if !out.flush()? || came == 0 && scene.is_still {
            return Ok(());
        }
        if checked.elapsed() >= CHECK {
            checked = Instant::now();
            if !scene.is_current() {
                return Ok(());
            }
        }
        if came == 0 {
            thread::sleep(PAUSE);
        }
    }
}

/// Lines on their way to standard output.
struct Out {
    lines: String,
    /// How many may still be printed.
    left: Option<u64>,
}

impl Out {
    fn line(&mut self, line: &str) {
        if let Some(left) = &mut self.left {
            if *left == 0 {
                return;
            }
            *left -= 1;
        }
        self.lines.push_str(line);
        self.lines.push('\n');
    }

    /// Writes them out; returns whether more can follow.
    fn flush(&mut self) -> Result<bool> {
        let mut out = stdout().lock();
        match out.write_all(self.lines.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(false),
            Err(error) => return Err(Error::at("standard output", reason_and_advice(&error))),
            Ok(()) => self.lines.clear(),
        }
        Ok(self.left != Some(0))
    }
}

/// A channel that is watched, and which of its fields.
struct View {
    followed: Followed,
    /// All, if empty.
    fields: Vec<String>,
    /// What was shown last.
    last: Option<Vec<u8>>,
    /// The newest line, where not all are printed.
    kept: Option<String>,
    /// Messages that were missed before it.
    missed: u64,
}

impl View {
    /// The views that the user asked for; of all channels, if of none.
    fn all(scene: &Scene, wanted: &Watch) -> Result<Vec<Self>> {
        let entries = scene.entries();
        let mut fields: Vec<Option<Vec<String>>> = vec![None; entries.len()];
        if wanted.channels.is_empty() {
            fields.fill(Some(Vec::new()));
        }
        for word in &wanted.channels {
            let mut is_there = false;
            for (entry, fields) in entries.iter().zip(&mut fields) {
                let Some(field) = field_of(entry, word) else { continue };
                is_there = true;
                if !field.is_empty() {
                    check_field(scene, entry, field)?;
                }
                // The channel as a whole has all its fields.
                match fields {
                    Some(fields) if fields.is_empty() || field.is_empty() => fields.clear(),
                    Some(fields) => fields.push(field.to_owned()),
                    None => {
                        *fields = Some(
                            Some(field.to_owned()).filter(|field| !field.is_empty()).into_iter().collect(),
                        )
                    }
                }
            }
            if !is_there {
                return Err(nothing_to_watch(scene, &entries, word));
            }
        }
        let wanted_ones = entries.iter().zip(fields).filter_map(|(entry, fields)| Some((entry, fields?)));
        let views = wanted_ones.map(|(entry, fields)| {
            let followed = scene.follow(entry, wanted.oldest)?;
            Ok(Self { followed, fields, last: None, kept: None, missed: 0 })
        });
        let views: Vec<Self> = views.collect::<Result<_>>()?;
        if views.is_empty() {
            return Err(Error::failed(format!("{}: it has no channels to watch", scene.arg)));
        }
        Ok(views)
    }

    /// Takes what has come; returns how many messages.
    fn take(&mut self, wanted: &Watch, out: &mut Out) -> Result<usize> {
        let Self { followed, fields, last, kept, missed } = self;
        followed.take(|followed, seen, bytes| {
            *missed += seen.missed;
            let shown = Shown {
                entry: &followed.entry,
                ty: followed.ty.as_deref(),
                number: seen.number,
                tag: seen.tag,
                missed: *missed,
                bytes,
                fields,
            };
            if wanted.changes {
                let now = shown.leaves().map_or_else(
                    || bytes.to_vec(),
                    |leaves| leaves.iter().flat_map(|leaf| leaf.bytes().to_vec()).collect(),
                );
                if last.as_ref() == Some(&now) {
                    return Ok(());
                }
                *last = Some(now);
            }
            let line = if wanted.json { shown.json().to_string() } else { shown.text() };
            if wanted.every.is_some() {
                *kept = Some(line);
            } else {
                out.line(&line);
                *missed = 0;
            }
            Ok(())
        })
    }

    fn print_kept(&mut self, out: &mut Out) {
        if let Some(line) = self.kept.take() {
            out.line(&line);
            self.missed = 0;
        }
    }
}

/// Why `word` names no channel to watch.
fn nothing_to_watch(scene: &Scene, entries: &[strait::format::Entry], word: &str) -> Error {
    if let Some(kind) = scene.kind_of(word) {
        return Error::failed(format!(
            "{}, {}: is of kind {}, which has no messages to watch",
            scene.arg,
            printable(word),
            kind.name()
        ));
    }
    // The lanes of a channel follow each other.
    let mut names: Vec<&str> = entries.iter().filter_map(|entry| entry.name()).collect();
    names.dedup();
    Error::failed(format!(
        "{}: there is no channel '{}' to watch; there are: {}",
        scene.arg,
        printable(word),
        names.join(", ")
    ))
}

/// Checks that a channel's values have a field.
fn check_field(scene: &Scene, entry: &strait::format::Entry, field: &str) -> Result<()> {
    let name = entry.name().unwrap_or_default();
    let Some(ty) = scene.type_of(entry) else {
        return Err(Error::failed(format!(
            "{}, {name}: the region does not describe the type of its values; watch '{name}' as a whole",
            scene.arg
        )));
    };
    let zeros = vec![0; ty.tree.size()];
    let leaves = ty.leaves(&zeros).unwrap_or_default();
    if leaves.iter().any(|leaf| leaf.is_in(field)) {
        return Ok(());
    }
    let there: Vec<&str> = leaves.iter().map(|leaf| &*leaf.path).collect();
    let there = there.join(", ");
    Err(Error::failed(format!("{}, {name}: there is no field '{field}'; there are: {there}", scene.arg)))
}
