/// Makes a function the entry of a program that is marked `#![no_main]`: it takes nothing and returns the exit
/// code.
///
/// What the runtime of std does before `main` costs a short-lived program a noticeable part of its life: it
/// polls the standard descriptors, reads `/proc/self/maps` for the guard page of the stack, sets up a signal
/// stack. None of it is needed here: the kernel has the standard descriptors in place or the caller is
/// broken, and a stack overflow ends the process either way. SIGPIPE keeps its action.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        // SAFETY: the symbol that the C runtime calls, with its signature; the program has no other, being
        // marked `no_main`. std::env::args works all the same: glibc hands the arguments to std's own
        // initializer.
        #[unsafe(no_mangle)]
        extern "C" fn main(
            _count: ::std::ffi::c_int,
            _arguments: *const *const ::std::ffi::c_char,
        ) -> ::std::ffi::c_int {
            $main()
        }
    };
}
