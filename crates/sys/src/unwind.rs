//! The unwinder of a program that never unwinds.
//!
//! A released program aborts on a panic, and has no tables by which a stack could be walked. std brings a walker and all that
//! reads debugging information nevertheless, a tenth of `cuddy-oci`, as long as there is an unwinder that might call them.
//! This one does not: a backtrace is empty, and nothing else is ever asked for. The names are those of the Itanium C++
//! ABI, "Exception Handling".

use std::ffi::{c_int, c_void};

/// `_URC_END_OF_STACK`: there is nothing to walk.
const END_OF_STACK: c_int = 5;

/// Walks no frame.
// SAFETY: the signature is the ABI's; nothing that it is given is used.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Backtrace(_callback: *const c_void, _argument: *mut c_void) -> c_int {
    END_OF_STACK
}

macro_rules! never_called {
    ($($name:ident)*) => {
        $(
            // SAFETY: only an unwinder, or a landing pad that one has gone to, calls these, and there is none. Arguments
            // are not looked at, and it does not return.
            #[unsafe(no_mangle)]
            extern "C" fn $name() -> ! {
                std::process::abort()
            }
        )*
    };
}

never_called! {
    _Unwind_DeleteException
    _Unwind_FindEnclosingFunction
    _Unwind_GetCFA
    _Unwind_GetDataRelBase
    _Unwind_GetIP
    _Unwind_GetIPInfo
    _Unwind_GetLanguageSpecificData
    _Unwind_GetRegionStart
    _Unwind_GetTextRelBase
    _Unwind_RaiseException
    _Unwind_Resume
    _Unwind_SetGR
    _Unwind_SetIP
}
