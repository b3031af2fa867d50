//! What the tests from outside share: the program under test, the keys of the vectors, and recorded command lines.
//! Nothing of the product is linked; everything goes through a process.

pub mod archives;
pub mod cases;
pub mod cluster;
pub mod differential;
pub mod faults;
pub mod histories;
pub mod subject;
