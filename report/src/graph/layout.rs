//! Where things are in the picture, in pixels.
//!
//! The kernel runs a level by rank and then by name, and the rank of an entry is how many others must come before it, one behind the other. So the ranks are
//! the layers: each fills a row of boxes, or several when there are too many for one, and whoever reads the picture as a page reads the order of the boot.
//! Every edge leads down. One to the next row is a curve; a longer one goes beside the boxes, in a gutter between two columns, so that no line crosses a box.
//! All of it takes time proportional to what is drawn, but for sorting.

use incipit_linker::graph::{Edge, Graph};

use super::lanes::{self, Stretch};
use super::{Band, bands};

/// Height of a box.
pub const BOX_HEIGHT: u32 = 38;
/// Between the border of the picture and what is in it.
pub const MARGIN: u32 = 16;
/// What a band has above its first row: room for its name, and for the arrows below it.
const BAND_HEAD: u32 = 30;
/// What a band has below its last row.
const BAND_FOOT: u32 = 14;
/// Between two bands.
const BAND_GAP: u32 = 8;
/// Between two lines that run side by side.
const STEP: u32 = 6;
/// How many lines a gap between rows has room for, at most, and a gutter.
const MOST_LANES: u32 = 8;
/// Between a box and the nearest line beside it.
const GUTTER_PAD: u32 = 10;
/// Between a row and the nearest line above or below it: room for a bend and an arrow.
const ROW_PAD: u32 = 14;
/// How many boxes a row has, at least and at most, if there are so many.
const COLUMNS: std::ops::RangeInclusive<usize> = 4..=20;

/// The picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Width of everything.
    pub width: u32,
    /// Height of everything.
    pub height: u32,
    /// Width of a box.
    pub box_width: u32,
    /// The levels, each with its top and its bottom.
    pub bands: Vec<(Band, u32, u32)>,
    /// The left upper corner of each entry's box.
    pub places: Vec<(u32, u32)>,
    /// The way of each edge.
    pub routes: Vec<Route>,
}

impl Layout {
    /// The same with a head of `height` pixels above it.
    #[must_use]
    pub fn moved_down(mut self, height: u32) -> Self {
        self.height += height;
        for (_, top, bottom) in &mut self.bands {
            *top += height;
            *bottom += height;
        }
        for (_, y) in &mut self.places {
            *y += height;
        }
        for route in &mut self.routes {
            route.from.1 += height;
            route.to.1 += height;
            route.detour = route.detour.map(|(down, side, further)| (down + height, side, further + height));
        }
        self
    }
}

/// The way of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Where it leaves the first box.
    pub from: (u32, u32),
    /// Where it reaches the second one.
    pub to: (u32, u32),
    /// For one that goes beside the boxes: how far down it goes first, then to which side, then how far down.
    pub detour: Option<(u32, u32, u32)>,
}

/// Where a box is in the grid of rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cell {
    row: u32,
    column: u32,
}

/// An edge in the grid. Places along a row are counted in halves of columns: box *c* is at 2*c* + 1, the gutter before it at 2*c*.
#[derive(Debug, Clone, Copy)]
struct Way {
    from: Cell,
    to: Cell,
    /// The gutter that it goes through, if it is no neighbour's.
    gutter: Option<u32>,
}

impl Way {
    fn of(edge: &Edge, cells: &[Cell]) -> Self {
        let (from, to) = (cells[edge.first], cells[edge.then]);
        let gutter = match to.column.cmp(&from.column) {
            _ if from.row + 1 == to.row => None,
            std::cmp::Ordering::Greater => Some(to.column),
            _ => Some(to.column + 1),
        };
        Self { from, to, gutter }
    }

    /// Where it heads for when it leaves, and where it comes from when it arrives, along the row.
    fn headings(&self) -> (u32, u32) {
        let gutter = self.gutter.map(|gutter| 2 * gutter);
        (gutter.unwrap_or(2 * self.to.column + 1), gutter.unwrap_or(2 * self.from.column + 1))
    }
}

/// Lays `graph` out, with boxes of `box_width`, at least `least_width` wide.
#[must_use]
pub fn lay_out(graph: &Graph, box_width: u32, least_width: u32) -> Layout {
    let (cells, rows) = cells(graph);
    let ways: Vec<_> = graph.edges.iter().map(|edge| Way::of(edge, &cells)).collect();
    let columns = cells.iter().map(|cell| cell.column + 1).max().unwrap_or(0);
    let gutters = Gaps::of_gutters(&ways, columns);
    let spaces = Gaps::of_rows(&ways, rows.len());
    let (tops, bands, height) = tops(&rows, &spaces);
    let lefts = lefts(&gutters, columns, box_width);
    let place = |cell: &Cell| (lefts[cell.column as usize], tops[cell.row as usize]);
    let grid = Grid {
        places: cells.iter().map(place).collect(),
        box_width,
        tops,
        lefts,
        gutters,
        spaces,
    };
    let right = grid.lefts.last().map_or(0, |left| left + box_width + grid.gutters.width(columns));
    Layout {
        width: (right + MARGIN).max(least_width),
        height,
        box_width,
        bands,
        routes: routes(graph, &ways, &grid),
        places: grid.places,
    }
}

/// A row, and the band that it begins, if it does.
struct RowOf {
    begins: Option<Band>,
}

/// Puts the entries into rows, in their order.
fn cells(graph: &Graph) -> (Vec<Cell>, Vec<RowOf>) {
    let most = (graph.entries.len().isqrt() / 5).clamp(*COLUMNS.start(), *COLUMNS.end());
    let mut cells = Vec::with_capacity(graph.entries.len());
    let mut rows: Vec<RowOf> = Vec::new();
    for band in bands(graph) {
        let entries = &graph.entries[band.entries.clone()];
        let mut begins = Some(band);
        for rank in entries.chunk_by(|one, other| one.rank == other.rank) {
            for row in rank.chunks(most) {
                let index = rows.len() as u32;
                rows.push(RowOf { begins: begins.take() });
                cells.extend((0..row.len() as u32).map(|column| Cell { row: index, column }));
            }
        }
    }
    (cells, rows)
}

/// The gaps of one direction, each with its number of lanes, and the lane in it of each edge that uses it.
struct Gaps {
    lanes: Vec<u32>,
    /// For each edge: its lane in the first and in the last gap that it uses.
    of: Vec<(u32, u32)>,
}

impl Gaps {
    /// The gutters, between columns.
    fn of_gutters(ways: &[Way], columns: u32) -> Self {
        let mut stretches = vec![Vec::new(); columns as usize + 1];
        for (owner, way) in ways.iter().enumerate() {
            if let Some(gutter) = way.gutter {
                let ends = (way.from.row + 1, way.to.row);
                stretches[gutter as usize].push(Stretch { ends, owner: 2 * owner });
            }
        }
        Self::assign(&stretches, ways.len())
    }

    /// The spaces above the rows.
    fn of_rows(ways: &[Way], rows: usize) -> Self {
        let mut stretches = vec![Vec::new(); rows];
        for (owner, way) in ways.iter().enumerate().filter(|(_, way)| way.gutter.is_some()) {
            let (leaving, arriving) = way.headings();
            stretches[way.from.row as usize + 1].push(Stretch {
                ends: (2 * way.from.column + 1, leaving),
                owner: 2 * owner,
            });
            stretches[way.to.row as usize].push(Stretch {
                ends: (arriving, 2 * way.to.column + 1),
                owner: 2 * owner + 1,
            });
        }
        Self::assign(&stretches, ways.len())
    }

    fn assign(stretches: &[Vec<Stretch>], edges: usize) -> Self {
        let mut gaps = Self {
            lanes: Vec::with_capacity(stretches.len()),
            of: vec![(0, 0); edges],
        };
        for stretches in stretches {
            let (assigned, lanes) = lanes::assign(stretches, MOST_LANES);
            gaps.lanes.push(lanes);
            for (owner, lane) in assigned {
                let of = &mut gaps.of[owner / 2];
                if owner % 2 == 0 { of.0 = lane } else { of.1 = lane }
            }
        }
        gaps
    }

    /// Width of gutter `index`.
    fn width(&self, index: u32) -> u32 {
        match self.lanes.get(index as usize).copied().unwrap_or(0) {
            0 => GUTTER_PAD,
            lanes => 2 * GUTTER_PAD + (lanes - 1) * STEP,
        }
    }

    /// Height of the space above row `index`, without what bands add.
    fn height(&self, index: usize) -> u32 {
        2 * ROW_PAD + self.lanes[index].saturating_sub(1) * STEP
    }
}

/// The left border of each column.
fn lefts(gutters: &Gaps, columns: u32, box_width: u32) -> Vec<u32> {
    let mut at = MARGIN;
    let mut lefts = Vec::with_capacity(columns as usize);
    for column in 0..columns {
        at += gutters.width(column);
        lefts.push(at);
        at += box_width;
    }
    lefts
}

/// The top of each row, the bands with top and bottom, and where the picture ends.
fn tops(rows: &[RowOf], spaces: &Gaps) -> (Vec<u32>, Vec<(Band, u32, u32)>, u32) {
    let mut at = 0;
    let mut tops = Vec::with_capacity(rows.len());
    let mut bands: Vec<(Band, u32, u32)> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let space = spaces.height(index);
        match &row.begins {
            None => at += space,
            Some(band) => {
                if let Some((_, _, bottom)) = bands.last_mut() {
                    *bottom = at + BAND_FOOT;
                    at += BAND_FOOT + BAND_GAP;
                }
                bands.push((band.clone(), at, at));
                at += BAND_HEAD + space - ROW_PAD;
            }
        }
        tops.push(at);
        at += BOX_HEIGHT;
    }
    if let Some((_, _, bottom)) = bands.last_mut() {
        at += BAND_FOOT;
        *bottom = at;
    }
    (tops, bands, at + MARGIN)
}

/// The grid in pixels.
struct Grid {
    places: Vec<(u32, u32)>,
    box_width: u32,
    tops: Vec<u32>,
    lefts: Vec<u32>,
    gutters: Gaps,
    spaces: Gaps,
}

impl Grid {
    /// How far down line `lane` of the space above `row` is.
    fn line(&self, row: u32, lane: u32) -> u32 {
        let lanes = self.spaces.lanes[row as usize].saturating_sub(1);
        self.tops[row as usize] - ROW_PAD - (lanes - lane.min(lanes)) * STEP
    }

    /// How far right lane `lane` of `gutter` is.
    fn beside(&self, gutter: u32, lane: u32) -> u32 {
        let left = match gutter {
            0 => MARGIN,
            behind => self.lefts[behind as usize - 1] + self.box_width,
        };
        left + GUTTER_PAD + lane * STEP
    }
}

fn routes(graph: &Graph, ways: &[Way], grid: &Grid) -> Vec<Route> {
    let leaving = ports(graph, ways, |edge| edge.first, |way| way.headings().0);
    let arriving = ports(graph, ways, |edge| edge.then, |way| way.headings().1);
    let port = |entry: usize, (place, count): (u32, u32)| grid.places[entry].0 + grid.box_width * (place + 1) / (count + 1);
    let route = |(index, edge): (usize, &Edge)| {
        let way = &ways[index];
        let detour = way.gutter.map(|gutter| {
            let (out, into) = grid.spaces.of[index];
            (
                grid.line(way.from.row + 1, out),
                grid.beside(gutter, grid.gutters.of[index].0),
                grid.line(way.to.row, into),
            )
        });
        Route {
            from: (port(edge.first, leaving[index]), grid.places[edge.first].1 + BOX_HEIGHT),
            to: (port(edge.then, arriving[index]), grid.places[edge.then].1),
            detour,
        }
    };
    graph.edges.iter().enumerate().map(route).collect()
}

/// For each edge the how manieth it is of how many at one of its ends, from left to right by where they head.
fn ports(graph: &Graph, ways: &[Way], end: fn(&Edge) -> usize, heading: fn(&Way) -> u32) -> Vec<(u32, u32)> {
    let mut order: Vec<usize> = (0..graph.edges.len()).collect();
    order.sort_by_key(|&index| (end(&graph.edges[index]), heading(&ways[index]), index));
    let mut ports = vec![(0, 0); order.len()];
    for group in order.chunk_by(|&one, &other| end(&graph.edges[one]) == end(&graph.edges[other])) {
        for (place, &index) in group.iter().enumerate() {
            ports[index] = (place as u32, group.len() as u32);
        }
    }
    ports
}

#[cfg(test)]
mod tests;
