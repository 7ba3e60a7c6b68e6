// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//! stack_rust SECONDS: a call tree of known shares as Rust makes them: generics, closures, trait
//! objects, iterators of the standard library, and a thread.
//!
//!     main - turn - alpha (50 %) - dyn Shape::area
//!                 - beta::<u64> (30 %) - a closure below Iterator::for_each
//!     a thread - gamma (20 %)
#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

const CLOCK_THREAD_CPUTIME_ID: i32 = 3;

/// What this thread has run.
fn cpu_seconds() -> f64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.seconds as f64 + time.nanoseconds as f64 / 1e9
}

fn burn(seconds: f64) -> f64 {
    let begin = cpu_seconds();
    let mut sink = 0u64;
    while cpu_seconds() - begin < seconds {
        for i in 0..1000u64 {
            sink = std::hint::black_box(sink.wrapping_add(i));
        }
    }
    cpu_seconds() - begin
}

trait Shape {
    fn area(&self) -> f64;
}

struct Circle {
    seconds: f64,
}

impl Shape for Circle {
    #[inline(never)]
    fn area(&self) -> f64 {
        // What it gives is changed after the call: it is none that replaces its caller's frame.
        std::hint::black_box(burn(self.seconds)) + 0.0
    }
}

#[inline(never)]
fn alpha(shape: &dyn Shape) -> f64 {
    std::hint::black_box(shape.area()) + 0.0
}

#[inline(never)]
fn beta<T: Into<u64> + Copy>(us: T) -> f64 {
    let mut spent = 0.0;
    [us.into()].iter().for_each(|us| spent += burn(*us as f64 / 1e6));
    std::hint::black_box(spent)
}

#[inline(never)]
fn gamma() -> f64 {
    std::hint::black_box(burn(0.002))
}

#[inline(never)]
fn turn(spent: &mut [f64; 3]) {
    spent[0] += alpha(std::hint::black_box(&Circle { seconds: 0.005 }));
    spent[1] += beta::<u64>(3000);
    spent[2] += std::thread::spawn(gamma).join().unwrap();
}

fn main() {
    let seconds: f64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(1.0);
    let mut spent = [0.0; 3];
    while spent.iter().sum::<f64>() < seconds {
        turn(&mut spent);
    }
    println!(
        "{{\"cpu_seconds\": {:.6}, \"functions\": {{\"stack_rust::alpha\": {:.6}, \
         \"<stack_rust::Circle as stack_rust::Shape>::area\": {:.6}, \
         \"stack_rust::beta\": {:.6}, \"stack_rust::gamma\": {:.6}}}}}",
        spent.iter().sum::<f64>(),
        spent[0],
        spent[0],
        spent[1],
        spent[2]
    );
}
