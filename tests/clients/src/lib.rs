//! Software written by others, run against this project. The tests are in `tests/`; a program that
//! is not installed fails its test with the name of the Debian package that has it.
