#include "train/nets/step_network.h"

#include <algorithm>
#include <any>
#include <array>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "autograd/row_ops.h"

namespace glimpse::train {
namespace {

using net::kImage;
using net::kToken;
using net::Node;
using ops::StepValue;
using ops::TapeLevel;
using ops::TapeStep;

/// Where each node of a graph is computed.
class Schedule {
 public:
  Schedule(const net::StepGraph& graph, bool has_pictures) : graph_(graph), has_pictures_(has_pictures) {
    const std::size_t count = graph.graph.nodes.size();
    needed_.resize(count);
    levels_.resize(count, TapeLevel::kAfter);
    in_steps_.resize(count);
    need(graph.output("words"));
    // A needed state needs its `next` value.
    for (bool changed = true; std::exchange(changed, false);) {
      for (const net::StepGraph::State& state : graph.states) {
        if (!needed_[index(state.node)] || needed_[index(state.next)]) continue;
        need(state.next);
        changed = true;
      }
    }
    find_levels();
    for (std::size_t i = 0; i < count; ++i) add_to_group(i);
  }

  bool needed(std::size_t node) const { return needed_[node]; }
  TapeLevel level(std::size_t node) const { return levels_[node]; }
  /// Nodes that are computed together, each list in the order of the text and at the place of its first.
  const std::vector<std::vector<std::size_t>>& groups(TapeLevel level) const {
    return groups_[static_cast<std::size_t>(level)];
  }

 private:
  static std::size_t index(int node) { return static_cast<std::size_t>(node); }
  const Node& node(std::size_t i) const { return graph_.graph.nodes[i]; }
  /// Without pictures, operations that look at pictures give zeros.
  bool sees_nothing(std::size_t i) const { return !has_pictures_ && node(i).op->looks(); }

  void need(int i) {
    if (i < 0 || needed_[index(i)]) return;
    needed_[index(i)] = true;
    if (sees_nothing(index(i))) return;
    for (const int source : node(index(i)).sources) need(source);
  }

  void find_levels() {
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      if (!graph_.in_step[i]) levels_[i] = TapeLevel::kPictures;
      const bool of_words = std::ranges::all_of(node(i).sources, [&](int source) {
        return source == kToken || (source >= 0 && levels_[index(source)] == TapeLevel::kWords);
      });
      if (!node(i).sources.empty() && of_words) levels_[i] = TapeLevel::kWords;
      if (node(i).is("state")) levels_[i] = TapeLevel::kSteps;
    }
    for (const net::StepGraph::State& state : graph_.states) {
      if (needed_[index(state.node)]) put_into_steps(state.next);
    }
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      if (needed_[i] && node(i).op->looks()) put_into_steps(static_cast<int>(i));
    }
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      if (node(i).is("part")) levels_[i] = levels_[index(node(i).sources.front())];
    }
  }

  void put_into_steps(int i) {
    if (i < 0 || !needed_[index(i)] || in_steps_[index(i)]) return;
    if (levels_[index(i)] == TapeLevel::kPictures || levels_[index(i)] == TapeLevel::kWords) return;
    in_steps_[index(i)] = true;
    levels_[index(i)] = TapeLevel::kSteps;
    if (sees_nothing(index(i))) return;
    for (const int source : node(index(i)).sources) put_into_steps(source);
  }

  void add_to_group(std::size_t i) {
    if (!needed_[i] || node(i).is("state") || node(i).is("part")) return;
    auto& groups = groups_[static_cast<std::size_t>(levels_[i])];
    if (levels_[i] == TapeLevel::kSteps && node(i).op->merges()) {
      for (auto& group : groups) {
        const Node& first = node(group.front());
        if (first.op != node(i).op || first.sources != node(i).sources) continue;
        group.push_back(i);
        return;
      }
    }
    groups.push_back({i});
  }

  const net::StepGraph& graph_;
  bool has_pictures_;
  std::vector<bool> needed_;
  std::vector<TapeLevel> levels_;
  std::vector<bool> in_steps_;
  std::array<std::vector<std::vector<std::size_t>>, 4> groups_;
};

class Teaching {
 public:
  Teaching(const net::StepGraph& graph, ops::Lesson& lesson, const Variable& features)
      : graph_(graph),
        lesson_(lesson),
        schedule_(graph, static_cast<bool>(features)),
        values_(graph.graph.nodes.size()),
        shared_(graph.graph.nodes.size()),
        past_(graph.graph.nodes.size()) {
    features_.level = TapeLevel::kPictures;
    features_.cells = lesson.cell_count();
    if (features) features_.width = features.dim(1);
    if (features) features_.pieces = {{features}};
    words_ = std::accumulate(lesson.alive.begin(), lesson.alive.end(), std::int64_t{0});
  }

  Variable run() {
    run_groups({TapeLevel::kPictures, 0, lesson_.images, 0});
    run_groups({TapeLevel::kWords, 0, words_, 0});
    find_kept();
    start_states();
    std::int64_t word = 0;
    for (std::size_t t = 0; t < lesson_.alive.size(); ++t) {
      const TapeStep::Place place = {TapeLevel::kSteps, t, lesson_.alive[t], word};
      run_groups(place);
      keep(place);
      advance_states();
      word += lesson_.alive[t];
    }
    const TapeStep::Place behind = {TapeLevel::kAfter, 0, words_, 0};
    run_groups(behind);
    const int words = graph_.output("words");
    return whole(words, behind);
  }

 private:
  static std::size_t index(int node) { return static_cast<std::size_t>(node); }
  const Node& node(std::size_t i) const { return graph_.graph.nodes[i]; }

  const StepValue* value(int source) const {
    if (source == kImage) return &features_;
    if (source == kToken) return &token_;
    return &values_[index(source)];
  }

  void run_groups(const TapeStep::Place& place) {
    for (const std::vector<std::size_t>& group : schedule_.groups(place.level)) run_group(group, place);
  }

  void run_group(const std::vector<std::size_t>& group, const TapeStep::Place& place) {
    std::vector<TapeStep> steps;
    steps.reserve(group.size());
    std::vector<TapeStep*> pointers;
    for (const std::size_t i : group) {
      std::vector<const StepValue*> srcs;
      for (const int source : node(i).sources) srcs.push_back(value(source));
      steps.emplace_back(
          lesson_, node(i), place, std::move(srcs),
          [this, i, place](std::size_t source) { return of_other_level(node(i).sources[source], place); },
          shared_[group.front()]);
      pointers.push_back(&steps.back());
    }
    node(group.front()).op->teach(pointers);
    for (std::size_t n = 0; n < group.size(); ++n) {
      std::vector<StepValue> results = steps[n].take();
      for (std::size_t further = 0; further < results.size(); ++further) {
        values_[group[n] + further] = std::move(results[further]);
      }
    }
  }

  /// A source that was computed elsewhere, as a matrix with a row for each of this place's.
  Variable of_other_level(int source, const TapeStep::Place& place) {
    const StepValue& given = *value(source);
    if (given.level == TapeLevel::kSteps) {  // behind the steps
      Variable& all = all_steps_[source];
      if (!all) all = concat_rows(lesson_.tape, past_[index(source)]);
      return all;
    }
    // Of a picture: for all rows that look at it.
    if (place.level == TapeLevel::kSteps) {
      Variable& all = of_rows_[source];
      if (!all) all = gather_rows(lesson_.tape, given.pieces.front().matrix, lesson_.image_of_row);
      return first_rows(lesson_.tape, all, place.rows);
    }
    Variable& all = of_words_[source];
    if (!all) {
      std::vector<int> images;
      for (const std::int64_t alive : lesson_.alive) {
        images.insert(images.end(), lesson_.image_of_row.begin(), lesson_.image_of_row.begin() + alive);
      }
      all = gather_rows(lesson_.tape, given.pieces.front().matrix, std::move(images));
    }
    return all;
  }

  /// A node's value as a matrix of exactly the place's rows.
  Variable whole(int source, const TapeStep::Place& place) {
    std::any none;
    const TapeStep step(
        lesson_, node(index(source)), place, {value(source)},
        [this, source, place](std::size_t) { return of_other_level(source, place); }, none);
    return step.src();
  }

  /// Values of steps that are read behind them.
  void find_kept() {
    const auto note = [&](int source) {
      if (source < 0 || schedule_.level(index(source)) != TapeLevel::kSteps) return;
      if (std::ranges::find(kept_, source) == kept_.end()) kept_.push_back(source);
    };
    for (const auto& group : schedule_.groups(TapeLevel::kAfter)) {
      for (const std::size_t i : group) std::ranges::for_each(node(i).sources, note);
    }
    note(graph_.output("words"));
  }

  void keep(const TapeStep::Place& place) {
    for (const int source : kept_) {
      if (value(source)->pieces.empty()) continue;
      past_[index(source)].push_back(whole(source, place));
    }
  }

  void start_states() {
    const auto rows = lesson_.alive.front();
    for (const net::StepGraph::State& state : graph_.states) {
      if (!schedule_.needed(index(state.node))) continue;
      StepValue& held = values_[index(state.node)];
      const Node& own = node(index(state.node));
      const StepValue* start = own.sources.empty() ? nullptr : value(own.sources.front());
      held.level = TapeLevel::kSteps;
      held.width = start != nullptr ? start->width : own.attributes.count("size");
      const bool zero = start == nullptr || start->pieces.empty();
      const Variable matrix = zero ? lesson_.tape.constant(lesson_.tape.kernels().zeros({rows, held.width}))
                                   : gather_rows(lesson_.tape, start->pieces.front().matrix, lesson_.image_of_row);
      held.pieces = {{matrix}};
    }
  }

  void advance_states() {
    std::vector<StepValue> next;
    for (const net::StepGraph::State& state : graph_.states) next.push_back(*value(state.next));
    for (std::size_t i = 0; i < next.size(); ++i) {
      const auto state = index(graph_.states[i].node);
      if (!schedule_.needed(state)) continue;
      next[i].level = TapeLevel::kSteps;
      values_[state] = std::move(next[i]);
    }
  }

  const net::StepGraph& graph_;
  ops::Lesson& lesson_;
  Schedule schedule_;
  StepValue features_;
  StepValue token_;
  std::vector<StepValue> values_;            // by node
  std::vector<std::any> shared_;             // by node
  std::vector<std::vector<Variable>> past_;  // by node: of each step, of those that are read behind
  std::vector<int> kept_;
  std::map<int, Variable> all_steps_;  // by source, as are those that follow
  std::map<int, Variable> of_rows_;
  std::map<int, Variable> of_words_;
  std::int64_t words_ = 0;
};

}  // namespace

Variable teach_step(const net::StepGraph& graph, ops::Lesson& lesson, const Variable& features) {
  return Teaching(graph, lesson, features).run();
}

}  // namespace glimpse::train
