//! How far the unpacking of an archive is, on a terminal.

use engine::root::Root;
use indicatif::{ProgressBar, ProgressStyle};

/// A progress bar on standard error; nothing at all if that is no terminal.
pub struct Unpacking {
    bar: Option<ProgressBar>,
    name: String,
}

impl Unpacking {
    /// For the archive that is `root`. The bar is not drawn before there is something to wait for.
    pub fn new(root: &Root) -> Self {
        let name = root.path().file_name().map(|name| name.to_string_lossy().into_owned());
        Self { bar: None, name: name.unwrap_or_default() }
    }

    /// Draws how far it is. indicatif draws nothing where standard error is no terminal.
    pub fn show(&mut self, progress: image::Progress) {
        match progress {
            image::Progress::Waiting => self.bar(0).set_message("waiting for another cuddy to unpack"),
            image::Progress::Unpacking { read, total, entries: _ } => {
                let bar = self.bar(total);
                bar.set_length(total);
                bar.set_position(read);
                bar.set_message("unpacking");
            }
            image::Progress::Syncing => self.bar(0).set_message("writing to disk"),
        }
    }

    /// Takes the bar off the screen.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn bar(&mut self, total: u64) -> &ProgressBar {
        let name = &self.name;
        self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new(total);
            let template = "{prefix} {msg} [{bar:30}] {bytes}/{total_bytes}, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(name.clone());
            bar
        })
    }
}
