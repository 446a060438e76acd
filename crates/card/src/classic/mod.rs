//! What MIFARE Classic 1K is made of: sectors, blocks, access bits, trailers (NXP MF1S50YYX_V1, 8.6 and 8.7).

mod access;
mod geometry;
mod trailer;

pub(crate) use geometry::Sector;
pub(crate) use trailer::{SectorTrailer, is_as_delivered};
