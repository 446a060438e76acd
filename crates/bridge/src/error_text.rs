//! Errors in words.

use std::error::Error;

/// An error with its causes, for a log.
pub(crate) fn chain(error: &dyn Error) -> String {
    match causes(error) {
        Some(causes) => format!("{error}: {causes}"),
        None => error.to_string(),
    }
}

/// An error for the person at the desk: what to do, and then, for whoever looks into it, why.
pub(crate) fn told(error: &dyn Error) -> String {
    match causes(error) {
        Some(causes) => sentence(&format!("{error} ({causes})")),
        None => sentence(&error.to_string()),
    }
}

/// Errors begin in lower case and end without a full stop; people read sentences.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).chain(['.']).collect()
    })
}

fn causes(error: &dyn Error) -> Option<String> {
    let causes: Vec<_> = std::iter::successors(error.source(), |&cause| cause.source())
        .map(ToString::to_string)
        .collect();
    (!causes.is_empty()).then(|| causes.join(": "))
}

#[cfg(test)]
mod tests {
    use encoder::{Error, ErrorKind};

    use super::*;

    #[test]
    fn what_to_do_comes_first_and_the_causes_after() {
        let cause = std::io::Error::other("the chip is silent");
        let error = Error::with_source(ErrorKind::Busy, cause);
        let what = "he encoder is busy with another card; try again in a moment";
        assert_eq!(chain(&error), format!("t{what}: the chip is silent"));
        assert_eq!(told(&error), format!("T{what} (the chip is silent)."));
        assert_eq!(told(&Error::new(ErrorKind::Busy)), format!("T{what}."));
    }
}
