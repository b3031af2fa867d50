//! Prints one document of the random generator: `document SEED NUMBER`, as a failed differential test names it.

#![allow(clippy::print_stdout, reason = "its only job")]

fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u64>().expect("two numbers: SEED NUMBER"));
    let seed = numbers.next().expect("two numbers: SEED NUMBER");
    let number = numbers.next().expect("two numbers: SEED NUMBER");
    let mut generator = testkit::yaml::Generator::new(seed);
    (0..number).for_each(|_| drop(generator.sample()));
    print!("{}", String::from_utf8_lossy(&generator.sample().text));
}
