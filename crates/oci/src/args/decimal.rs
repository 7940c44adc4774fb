//! Numbers with a fraction, without floating point: that would bring tables of powers of five into a small program.

/// Parts of a unit: nine digits after the point are read.
pub(super) const PARTS: u128 = 1_000_000_000;

/// `1.5` in parts of a unit: 1,500,000,000. Digits after the ninth are dropped.
pub(super) fn parts(text: &str) -> Option<u128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9).chain(fraction.bytes().skip(9));
    let mut sum: u128 = 0;
    for (index, digit) in whole.bytes().chain(digits).enumerate() {
        let digit = (digit as char).to_digit(10)?;
        if index < whole.len() + 9 {
            sum = sum.checked_mul(10)?.checked_add(digit.into())?;
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn fractions_have_nine_digits() {
        for (text, expect) in [
            ("1.5", Some(1_500_000_000)),
            ("2", Some(2_000_000_000)),
            (".25", Some(250_000_000)),
            ("3.", Some(3_000_000_000)),
            ("0.0000000019", Some(1)),
            ("", None),
            (".", None),
            ("1.x", None),
            ("1.0000000000x", None),
            ("-1", None),
            ("1e3", None),
        ] {
            assert_eq!(parts(text), expect, "{text:?}");
        }
    }
}
