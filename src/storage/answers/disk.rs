//! How a table gets onto the disk.

use std::fs::File;
use std::io;
use std::sync::Arc;

type Sync = dyn Fn(&File) -> io::Result<()> + Send + std::marker::Sync;

/// What syncs a file.
#[derive(Clone)]
pub(super) struct Disk(Arc<Sync>);

impl Default for Disk {
    fn default() -> Self {
        Self(Arc::new(File::sync_data))
    }
}

impl Disk {
    /// Another one.
    #[cfg(test)]
    pub fn synced_by(
        sync: impl Fn(&File) -> io::Result<()> + Send + std::marker::Sync + 'static,
    ) -> Self {
        Self(Arc::new(sync))
    }

    pub fn sync(&self, file: &File) -> io::Result<()> {
        (self.0)(file)
    }
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Disk")
    }
}
