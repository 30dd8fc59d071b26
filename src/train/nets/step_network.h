/// A decoder's text (net/step_graph.h) under teacher forcing: the same graph as inference runs, on the tape. Every node
/// is computed where it is cheapest; see ops/tape_step.h.
#pragma once

#include "autograd/tape.h"
#include "net/step_graph.h"
#include "ops/tape_step.h"

namespace glimpse::train {

/// The scores of all words of all steps, [words, vocabulary], in the order of lesson.tokens. features [images · cells,
/// D]; none: sentences without pictures, what would look at them sees zeros. What looks leaves alphas and cells in
/// `lesson`.
Variable teach_step(const net::StepGraph& graph, ops::Lesson& lesson, const Variable& features);

}  // namespace glimpse::train
