//! The program as its operator meets it: the real binary, driven from outside with curl and
//! OpenSSL.

mod adoption;
mod configuration;
mod first_start;
mod operator;
mod program;
mod request;
mod restore;
mod subordinate;
