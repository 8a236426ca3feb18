use super::*;
use proptest::prelude::*;
use std::vec::Vec;

/// A machine: distances, and which nodes have memory and processors.
#[derive(Clone, Debug)]
struct Machine {
    distances: Vec<Vec<u8>>,
    memory: Vec<bool>,
    processors: Vec<bool>,
}

impl Nodes for &Machine {
    fn with_memory(&self) -> impl Iterator<Item = usize> {
        (0..self.memory.len()).filter(|nid| self.memory[*nid])
    }

    fn distance(&self, from: usize, to: usize) -> u8 {
        self.distances[from][to]
    }

    fn has_processors(&self, nid: usize) -> bool {
        self.processors[nid]
    }
}

fn orders(machine: &Machine) -> Vec<Vec<usize>> {
    let mut fallback = Fallback::new(machine);
    (0..machine.memory.len()).map(|nid| fallback.order(nid).to_vec()).collect()
}

/// A machine whose nodes all have memory and processors.
fn machine(distances: &[&[u8]]) -> Machine {
    Machine {
        distances: distances.iter().map(|row| row.to_vec()).collect(),
        memory: std::vec![true; distances.len()],
        processors: std::vec![true; distances.len()],
    }
}

#[test]
fn nodes_in_a_row_go_to_their_neighbours_first() {
    let row = machine(&[&[10, 15, 25, 35], &[15, 10, 15, 25], &[25, 15, 10, 15], &[35, 25, 15, 10]]);
    assert_eq!(orders(&row), [[0, 1, 2, 3], [1, 2, 0, 3], [2, 3, 1, 0], [3, 2, 1, 0]]);
}

#[test]
fn nodes_that_are_equally_far_go_round() {
    let equal = machine(&[&[10, 20, 20, 20], &[20, 10, 20, 20], &[20, 20, 10, 20], &[20, 20, 20, 10]]);
    // The first of each order is its own, the second the next one, not always node 0.
    assert_eq!(orders(&equal), [[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2]]);
}

#[test]
fn a_node_without_memory_is_first_for_itself_and_in_no_other_order() {
    let mut one = machine(&[&[10, 20, 20], &[20, 10, 20], &[20, 20, 10]]);
    one.memory[1] = false;
    assert_eq!(orders(&one), [std::vec![0, 2], std::vec![1, 2, 0], std::vec![2, 0]]);
}

#[test]
fn memory_without_processors_is_preferred_where_it_is_as_near() {
    let mut one = machine(&[&[10, 20, 20], &[20, 10, 20], &[20, 20, 10]]);
    one.processors[2] = false;
    assert_eq!(orders(&one)[0], [0, 2, 1]);
}

fn any_machine() -> impl Strategy<Value = Machine> {
    (1..9_usize).prop_flat_map(|count| {
        let row = proptest::collection::vec(10..=255_u8, count);
        let flags = || proptest::collection::vec(any::<bool>(), count);
        (proptest::collection::vec(row, count), flags(), flags()).prop_map(|(distances, memory, processors)| Machine {
            distances,
            memory,
            processors,
        })
    })
}

proptest! {
    #[test]
    fn an_order_has_its_own_node_and_every_node_with_memory_once_the_nearer_before_the_farther(machine in any_machine()) {
        for (local, order) in orders(&machine).into_iter().enumerate() {
            prop_assert_eq!(order[0], local);
            let mut found = order.clone();
            found.sort_unstable();
            let expected: Vec<_> = (0..machine.memory.len()).filter(|nid| *nid == local || machine.memory[*nid]).collect();
            prop_assert_eq!(found, expected);
            // A penalty is at most 2, whatever the load.
            for pair in order[1..].windows(2) {
                let distance = |nid: usize| u32::from(machine.distances[local][nid]);
                prop_assert!(distance(pair[0]) <= distance(pair[1]) + 2);
            }
        }
    }
}
