//! What holds for every picture: boxes in their order, and lines that go down and cross no box.

use incipit_linker::graph::Graph;

use super::super::testing::{entry, graph, large, small};
use super::*;

const WIDTH: u32 = 200;

fn laid_out(graph: &Graph) -> Layout {
    lay_out(graph, WIDTH, 0).moved_down(50)
}

/// Whether a line between two points, level or upright, touches the inside of the box at `corner`.
fn crosses(line: ((u32, u32), (u32, u32)), corner: (u32, u32)) -> bool {
    let ((x1, y1), (x2, y2)) = line;
    let overlap = |one: u32, other: u32, start: u32, length: u32| one.min(other) < start + length && one.max(other) > start;
    overlap(x1, x2, corner.0, WIDTH) && overlap(y1, y2, corner.1, BOX_HEIGHT)
}

/// The straight pieces of a way that goes beside the boxes.
fn pieces(route: &Route) -> Vec<((u32, u32), (u32, u32))> {
    let Some((down, side, further)) = route.detour else {
        return Vec::new();
    };
    let corners = [
        route.from,
        (route.from.0, down),
        (side, down),
        (side, further),
        (route.to.0, further),
        route.to,
    ];
    corners.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

fn assert_sound(graph: &Graph) {
    let layout = laid_out(graph);
    for (band, top, bottom) in &layout.bands {
        let places = &layout.places[band.entries.clone()];
        assert!(
            places.iter().all(|(_, y)| top < y && y + BOX_HEIGHT < *bottom),
            "{} holds its boxes",
            band.name
        );
        let reading: Vec<_> = places.iter().map(|(x, y)| (*y, *x)).collect();
        assert!(reading.is_sorted(), "{} is read in the order in which it runs", band.name);
    }
    assert!(
        layout.bands.windows(2).all(|pair| pair[0].2 < pair[1].1),
        "no band touches the next"
    );
    for (edge, route) in graph.edges.iter().zip(&layout.routes) {
        assert!(route.from.1 < route.to.1, "{edge:?} leads down");
        let (from, to) = (layout.places[edge.first], layout.places[edge.then]);
        assert!(from.0 < route.from.0 && route.from.0 < from.0 + WIDTH && route.from.1 == from.1 + BOX_HEIGHT);
        assert!(to.0 < route.to.0 && route.to.0 < to.0 + WIDTH && route.to.1 == to.1);
        for piece in pieces(route) {
            let (start, end) = piece;
            assert!(start.1 <= end.1, "{edge:?} never leads up: {route:?}");
            assert!(end.0 < layout.width && end.1 < layout.height);
            let crossed = layout.places.iter().find(|corner| crosses(piece, **corner));
            assert_eq!(crossed, None, "{edge:?} crosses a box: {route:?}");
        }
    }
}

#[test]
fn a_small_boot_is_drawn_soundly() {
    assert_sound(&small());
}

#[test]
fn chains_that_skip_and_rows_that_wrap_are_drawn_soundly() {
    assert_sound(&large(60));
    let stars: Vec<_> = (0..40)
        .map(|index| match index {
            0 => entry("initcall6", "call_00", &[]),
            _ => entry("initcall6", &format!("call_{index:02}"), &[("after", "test::call_00,")]),
        })
        .collect();
    assert_sound(&graph(&stars));
}

#[test]
fn nothing_is_a_picture_too() {
    let layout = lay_out(&Graph::default(), WIDTH, 300);
    assert_eq!((layout.width, layout.places.len(), layout.bands.len()), (300, 0, 0));
}

#[test]
fn a_thousand_boxes_do_not_lie_on_each_other() {
    let layout = laid_out(&large(1000));
    let mut places = layout.places.clone();
    places.sort_by_key(|(x, y)| (*y, *x));
    for pair in places.windows(2) {
        let ((x, y), (next_x, next_y)) = (pair[0], pair[1]);
        assert!(next_y >= y + BOX_HEIGHT || (next_y == y && next_x >= x + WIDTH), "{pair:?}");
    }
}

#[test]
fn lines_of_edges_that_meet_in_a_gap_do_not_lie_on_each_other() {
    let graph = small();
    let layout = laid_out(&graph);
    let detours: Vec<_> = layout.routes.iter().filter_map(|route| route.detour).collect();
    assert!(detours.len() >= 2, "{:?}", layout.routes);
    for (index, one) in detours.iter().enumerate() {
        for other in &detours[index + 1..] {
            let meet = one.0 < other.2 && other.0 < one.2;
            assert!(!meet || one.1 != other.1, "{one:?} and {other:?}");
        }
    }
}
