//! Models of the shipped protocols and endpoints, run under the model checker.
