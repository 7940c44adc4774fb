//! A group that exists.
