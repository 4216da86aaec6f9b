//! The tests of the tool, in one program, which is linked once. Three are programs of their own: what the tool costs, which is
//! run by hand; the terminals of `top`, which a child that another test starts must not keep open; and the transfers of
//! files, which kill processes that start others, and take minutes under wine.
#![allow(missing_docs)]

mod common;

mod bridge;
mod demo;
mod doctor;
mod first_use;
mod locks;
mod manual;
mod other_users;
mod plant;
mod play;
mod regions;
mod see;
mod serve;
mod storage;
mod streams;
mod texts;
mod versions;
