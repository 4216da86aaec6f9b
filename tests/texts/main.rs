//! What errors say, and what pages list of the sources.

mod deploying_listed;
mod errors;
mod faults_listed;
mod root_names;
