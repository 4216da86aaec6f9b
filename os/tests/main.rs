//! The tests that need no process of their own: one program, for each is built for six systems and linked with everything
//! that it uses. Whoever forks, whom a kernel's filter or real-time priority is laid on, or who counts what its process has
//! open, is a program of its own.

mod common;

mod containers_linux;
mod directory_linux;
mod directory_unix;
mod domains;
mod event_linux;
mod guest_watch_linux;
mod incoherent;
mod join_again;
mod liveness;
mod liveness_linux;
mod liveness_windows;
mod memory_linux;
mod message_windows;
mod misleading_linux;
mod mutex_windows;
mod no_core;
mod pi_kill;
mod pi_mutex;
mod pi_strangers;
mod pipes;
mod pipes_windows;
mod readable_unix;
mod regions;
mod regions_unix;
mod regions_windows;
mod remote_watch_linux;
mod replaced_unix;
mod rt;
mod rt_windows;
mod sealed_windows;
mod semaphore;
mod semaphore_unix;
mod semaphore_windows;
mod strangers_windows;
mod waiting;
mod waiting_many;
mod waiting_windows;
