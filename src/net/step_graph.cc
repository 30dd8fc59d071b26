#include "net/step_graph.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "net/parser.h"
#include "net/tensors.h"

namespace glimpse::net {
namespace {

constexpr std::array<std::string_view, 4> kRoles = {"words", "glimpse", "gate", "channels"};
constexpr int kMostRepeats = 1000;

bool is_role(std::string_view text) { return std::find(kRoles.begin(), kRoles.end(), text) != kRoles.end(); }

class StepParser final : public Parser {
 public:
  StepParser(std::string_view text, const std::string& file) : Parser(text, file, ops::Dialect::kStep, "features") {}

  StepGraph parse_step() {
    StepGraph result;
    result.graph = parse();
    result.states = std::move(states_);
    result.outputs = std::move(found_outputs_);
    result.in_step = std::move(in_step_);
    return result;
  }

 private:
  struct Link {
    int line;
    std::string_view name;
    std::string_view node;
  };

  bool read_special(const Words& words) override {
    if (repeat_line_ > 0 && words[0] != "end") {
      if (words[0] == "repeat") fail_line("a 'repeat' within that of line " + std::to_string(repeat_line_));
      std::string text;
      for (const std::string_view word : words) text.append(word).append(" ");
      repeated_.push_back({line(), std::move(text)});
      return true;
    }
    if (words[0] == "repeat") {
      begin_repeat(words);
    } else if (words[0] == "end") {
      end_repeat(words);
    } else if (words[0] == "version") {
      if (words.size() != 2 || words[1] != "1") fail_line("expected 'version 1'");
    } else if (words[0] == "next") {
      nexts_.push_back(read_link(words, "next STATE < NODE"));
    } else if (words[0] == "output") {
      outputs_.push_back(read_link(words, "output ROLE < NODE"));
      if (!is_role(outputs_.back().name)) {
        fail_line("unknown output " + quote(outputs_.back().name) + "; there are words, glimpse, gate and channels" +
                  did_you_mean(outputs_.back().name, {kRoles.begin(), kRoles.end()}));
      }
    } else {
      return false;
    }
    return true;
  }

  Link read_link(const Words& words, const std::string& expected) const {
    if (words.size() != 4 || words[2] != "<") fail_line("expected '" + expected + "'");
    return {line(), words[1], words[3]};
  }

  void begin_repeat(const Words& words) {
    repeats_ = 0;
    for (const char digit : words.size() == 2 ? words[1] : std::string_view()) {
      if (digit < '0' || digit > '9' || repeats_ > kMostRepeats) fail_line("expected 'repeat NUMBER'");
      repeats_ = 10 * repeats_ + (digit - '0');
    }
    if (words.size() != 2 || repeats_ < 1 || repeats_ > kMostRepeats) {
      fail_line("a repeat of " + (words.size() == 2 ? quote(words[1]) : std::string("nothing")) +
                "; expected 'repeat NUMBER' with a number from 1 to " + std::to_string(kMostRepeats));
    }
    repeat_line_ = line();
  }

  void end_repeat(const Words& words) {
    if (words.size() != 1 || repeat_line_ == 0) fail_line("'end' without a 'repeat' before it");
    repeat_line_ = 0;
    const int end = line();
    const std::vector<std::pair<int, std::string>> lines = std::move(repeated_);
    repeated_.clear();
    for (int i = 0; i < repeats_; ++i) {
      for (const auto& [number, text] : lines) {
        std::string once = text;
        for (std::size_t at = once.find("{i}"); at != std::string::npos; at = once.find("{i}", at)) {
          once.replace(at, 3, std::to_string(i));
        }
        set_line(number);
        read_line(expanded_.emplace_back(std::move(once)));
      }
    }
    set_line(end);
  }

  void finish(GraphSpec& graph) override {
    if (repeat_line_ > 0) {
      set_line(repeat_line_);
      fail_line("'repeat' without its 'end'");
    }
    find_levels(graph);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      if (graph.nodes[i].is("state")) states_.push_back({static_cast<int>(i), -1, graph.nodes[i].line});
    }
    for (const Link& link : nexts_) set_next(graph, link);
    for (const StepGraph::State& state : states_) {
      const Node& node = graph.nodes[static_cast<std::size_t>(state.node)];
      if (state.next < 0) fail(graph, node, "nothing sets it; a line 'next " + node.name + " < NODE' would");
    }
    for (const Link& link : outputs_) {
      set_line(link.line);
      const bool given =
          std::ranges::any_of(found_outputs_, [&](const auto& other) { return other.role == link.name; });
      if (given) fail_line("a second output " + quote(link.name));
      found_outputs_.push_back({std::string(link.name), find_node(link.node, "output")});
    }
    const bool says_words = std::ranges::any_of(found_outputs_, [](const auto& out) { return out.role == "words"; });
    if (!says_words) fail_file("has no 'output words < NODE', the scores of the vocabulary");
  }

  void find_levels(const GraphSpec& graph) {
    in_step_.resize(graph.nodes.size());
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const Node& node = graph.nodes[i];
      bool in_step = node.is("state");
      for (const int source : node.sources) {
        const bool of_step = source == kToken || (source >= 0 && in_step_[static_cast<std::size_t>(source)]);
        if (of_step && node.is("state")) fail(graph, node, "its start value depends on a step");
        if (of_step && node.is("memory"))
          fail(graph, node, "depends on a state or the token; a memory is the picture's");
        in_step = in_step || of_step;
      }
      in_step_[i] = in_step;
    }
  }

  void set_next(const GraphSpec& graph, const Link& link) {
    set_line(link.line);
    const int node = find_node(link.name, "state");
    const auto state = std::ranges::find_if(states_, [&](const auto& known) { return known.node == node; });
    if (state == states_.end()) fail_line(quote(link.name) + " is no state");
    if (state->next >= 0) fail_line("a second 'next' of " + quote(link.name));
    state->next = find_node(link.node, "next");
    if (!in_step_[static_cast<std::size_t>(state->next)]) {
      fail(graph, graph.nodes[static_cast<std::size_t>(state->next)],
           "is the same at every step; state " + quote(link.name) + " would never change");
    }
  }

  int repeat_line_ = 0;
  int repeats_ = 0;
  std::vector<std::pair<int, std::string>> repeated_;
  std::deque<std::string> expanded_;
  std::vector<Link> nexts_;
  std::vector<Link> outputs_;
  std::vector<StepGraph::State> states_;
  std::vector<StepGraph::Output> found_outputs_;
  std::vector<bool> in_step_;
};

}  // namespace

int StepGraph::output(std::string_view role) const {
  for (const Output& output : outputs) {
    if (output.role == role) return output.node;
  }
  return -1;
}

StepGraph parse_step(std::string_view text, const std::string& file) { return StepParser(text, file).parse_step(); }

std::vector<Shape> infer_step_shapes(const StepGraph& step, std::int64_t cells, std::int64_t channels) {
  const GraphSpec& graph = step.graph;
  std::vector<Shape> shapes;
  for (const Node& node : graph.nodes) {
    ops::NodeView view{graph.file, node, {}, {}};
    for (const int source : node.sources) {
      if (source == kImage) {
        view.srcs.push_back({1, cells, channels});
      } else {
        view.srcs.push_back(source == kToken ? Shape{1, 1} : shapes[static_cast<std::size_t>(source)]);
      }
    }
    if (node.is("part")) {
      const auto owner = static_cast<std::size_t>(node.sources.front());
      ops::NodeView of_owner{graph.file, graph.nodes[owner], {}, shapes[owner]};
      shapes.push_back(
          of_owner.node.op->further_shape(of_owner, static_cast<std::size_t>(node.attributes.count("index"))));
      continue;
    }
    shapes.push_back(node.op->shape(view));
  }
  for (const StepGraph::State& state : step.states) {
    const Shape& held = shapes[static_cast<std::size_t>(state.node)];
    const Shape& next = shapes[static_cast<std::size_t>(state.next)];
    if (held == next) continue;
    fail(graph, graph.nodes[static_cast<std::size_t>(state.node)],
         "is " + to_string(held) + ", but " + quote(graph.nodes[static_cast<std::size_t>(state.next)].name) +
             ", which it takes on, is " + to_string(next));
  }
  return shapes;
}

std::vector<ops::TensorSpec> step_tensors(const StepGraph& step, std::int64_t cells, std::int64_t channels) {
  return collect_tensors(step.graph, infer_step_shapes(step, cells, channels), {1, cells, channels});
}

}  // namespace glimpse::net
