//! The tests of the C interface, in one program, which is linked once.

mod program;

mod attach;
mod by_time;
mod c;
mod cancel;
mod contracts;
mod cpp;
mod fanout;
mod gone;
mod header;
mod kill;
mod lanes;
mod messages;
mod more;
mod patterns;
mod pool;
mod status_texts;
mod versions;
mod waits;
