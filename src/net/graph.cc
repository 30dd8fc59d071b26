#include "net/graph.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"

namespace glimpse::net {
namespace {

// Hostile text is refused before it costs anything; ResNet-152 has 363 nodes.
constexpr std::size_t kMaxTextBytes = 16 << 20;
constexpr std::size_t kMaxLineBytes = 64 << 10;
constexpr std::size_t kMaxNodes = 20'000;
constexpr std::size_t kMaxNameBytes = 256;

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-' || c == '/' || c == ':';
  };
  return !text.empty() && text.size() <= kMaxNameBytes && std::all_of(text.begin(), text.end(), allowed);
}

std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& candidates) {
  const std::string_view near = nearest(name, candidates);
  return near.empty() ? std::string() : " (did you mean " + quote(near) + "?)";
}

/// One line's tokens, before anything is known about the nodes around it.
struct Statement {
  int line = 0;
  const ops::Operation* op = nullptr;
  std::string_view name;
  std::vector<std::string_view> inputs;
  std::vector<ops::RawAttribute> attributes;
};

class Parser {
 public:
  Parser(std::string_view text, const std::string& file) : text_(text) { graph_.file = file; }

  GraphSpec parse() {
    if (text_.size() > kMaxTextBytes) fail_file("is longer than 16 MiB");
    int number = 0;
    for (std::string_view line : split_lines(text_)) {
      line_ = ++number;
      if (line.size() > kMaxLineBytes) fail_line("is longer than 64 KiB");
      line = line.substr(0, line.find('#'));
      const std::vector<std::string_view> words = split_words(line);
      if (!words.empty()) read_line(words);
    }
    if (statements_.empty()) fail_file("describes no node");
    for (const Statement& statement : statements_) add_node(statement);
    graph_.output = static_cast<int>(graph_.nodes.size()) - 1;
    if (output_) set_output();
    return std::move(graph_);
  }

 private:
  struct Output {
    int line;
    std::string_view name;
  };

  [[noreturn]] void fail_file(const std::string& what) const {
    throw Error(ErrorCode::kModel, "graph " + quote(graph_.file) + " " + what);
  }

  [[noreturn]] void fail_line(const std::string& what) const {
    throw Error(ErrorCode::kModel, quote(graph_.file) + " line " + std::to_string(line_) + ": " + what);
  }

  [[noreturn]] void fail_statement(const Statement& statement, const std::string& what) const {
    throw Error(ErrorCode::kModel, quote(graph_.file) + " line " + std::to_string(statement.line) + ", " +
                                       std::string(statement.op->name()) + " " + quote(statement.name) + ": " + what);
  }

  void read_line(const std::vector<std::string_view>& words) {
    if (words[0] == "version") return read_version(words);
    if (words[0] == "output") return read_output(words);
    read_statement(words);
  }

  void read_version(const std::vector<std::string_view>& words) {
    if (!statements_.empty() || output_ || has_version_) fail_line("'version' must stand once, before everything else");
    if (words.size() != 2) fail_line("expected 'version NUMBER'");
    if (words[1] != "1") {
      fail_line("version " + quote(words[1]) + " of the graph language is not known to this glimpse, which reads 1");
    }
    has_version_ = true;
  }

  void read_output(const std::vector<std::string_view>& words) {
    if (words.size() != 2) fail_line("expected 'output NODE'");
    if (output_) fail_line("a second 'output'; the first is in line " + std::to_string(output_->line));
    output_ = Output{line_, words[1]};
  }

  void read_statement(const std::vector<std::string_view>& words) {
    Statement statement{line_, ops::find_operation(words[0]), {}, {}, {}};
    if (statement.op == nullptr) {
      fail_line("unknown op " + quote(words[0]) + did_you_mean(words[0], ops::operation_names()));
    }
    if (words.size() < 3 || words[2] != "<") fail_line("expected 'OP NAME < INPUTS key=value ...'");
    statement.name = words[1];
    if (!is_name(statement.name)) {
      fail_line("node name " + quote(statement.name) + " is not 1 to 256 of the characters A-Z a-z 0-9 _ . - / :");
    }
    if (statement.name == kImageName) fail_line("a node cannot be called 'image', which is the network's input");
    for (std::size_t i = 3; i < words.size(); ++i) {
      const std::size_t equals = words[i].find('=');
      if (equals != std::string_view::npos) {
        statement.attributes.push_back({words[i].substr(0, equals), words[i].substr(equals + 1)});
      } else if (statement.attributes.empty()) {
        statement.inputs.push_back(words[i]);
      } else {
        fail_statement(statement, quote(words[i]) + " stands among the attributes but is not key=value");
      }
    }
    if (statements_.size() == kMaxNodes) fail_line("more than " + std::to_string(kMaxNodes) + " nodes");
    const auto [known, inserted] = lines_.emplace(statement.name, line_);
    if (!inserted) {
      fail_statement(statement, "line " + std::to_string(known->second) + " already has a node of this name");
    }
    statements_.push_back(std::move(statement));
  }

  void add_node(const Statement& statement) {
    const ops::Operation& op = *statement.op;
    if (statement.inputs.size() < op.min_inputs() || statement.inputs.size() > op.max_inputs()) {
      const std::string wanted = op.min_inputs() == op.max_inputs() ? std::to_string(op.min_inputs())
                                                                    : std::to_string(op.min_inputs()) + " or more";
      fail_statement(statement, "takes " + wanted + " input" + (wanted == "1" ? "" : "s") + ", " +
                                    std::to_string(statement.inputs.size()) + " given");
    }
    Node node;
    node.op = &op;
    node.name = statement.name;
    node.line = statement.line;
    for (const std::string_view input : statement.inputs) node.sources.push_back(resolve(statement, input));
    auto complaint = ops::read_attributes(op.name(), op.attributes(), statement.attributes, node.attributes);
    if (!complaint) complaint = op.finish(node.attributes);
    if (complaint) fail_statement(statement, *complaint);
    if (node.attributes.weights().empty()) node.attributes.set_weights(node.name);
    indices_.emplace(statement.name, static_cast<int>(graph_.nodes.size()));
    graph_.nodes.push_back(std::move(node));
  }

  int resolve(const Statement& statement, std::string_view input) const {
    if (input == kImageName) return kImage;
    if (const auto found = indices_.find(input); found != indices_.end()) return found->second;
    if (input == statement.name) fail_statement(statement, "reads itself");
    if (const auto later = lines_.find(input); later != lines_.end()) {
      fail_statement(statement, "input " + quote(input) + " comes only in line " + std::to_string(later->second) +
                                    "; a node must stand below its inputs");
    }
    std::vector<std::string_view> candidates = {kImageName};
    for (const auto& entry : indices_) candidates.push_back(entry.first);
    fail_statement(statement, "unknown input " + quote(input) + did_you_mean(input, candidates));
  }

  void set_output() {
    line_ = output_->line;
    const auto found = indices_.find(output_->name);
    if (found != indices_.end()) {
      graph_.output = found->second;
      return;
    }
    std::vector<std::string_view> candidates;
    for (const auto& entry : indices_) candidates.push_back(entry.first);
    fail_line("output " + quote(output_->name) + " is not a node" + did_you_mean(output_->name, candidates));
  }

  std::string_view text_;
  GraphSpec graph_;
  int line_ = 0;
  bool has_version_ = false;
  std::optional<Output> output_;
  std::vector<Statement> statements_;
  std::map<std::string_view, int> lines_;    // of every statement
  std::map<std::string_view, int> indices_;  // of the nodes added so far
};

}  // namespace

GraphSpec parse_graph(std::string_view text, const std::string& file) { return Parser(text, file).parse(); }

int GraphSpec::find(std::string_view name) const {
  std::vector<std::string_view> candidates;
  candidates.reserve(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].name == name) return static_cast<int>(i);
    candidates.push_back(nodes[i].name);
  }
  throw Error(ErrorCode::kModel,
              "graph " + quote(file) + " has no node " + quote(name) + did_you_mean(name, candidates));
}

GraphSpec read_graph(const std::filesystem::path& path) {
  constexpr std::size_t kMaxBytes = std::size_t{64} << 20;
  return parse_graph(read_file(path, kMaxBytes), path.filename().native());
}

GraphSpec extract(const GraphSpec& graph, const std::vector<std::string>& outputs) {
  std::vector<int> wanted;
  wanted.reserve(outputs.size());
  for (const std::string& name : outputs) wanted.push_back(graph.find(name));
  if (wanted.empty()) wanted.push_back(graph.output);
  std::vector<bool> needed(graph.nodes.size(), false);
  for (const int index : wanted) needed[static_cast<std::size_t>(index)] = true;
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    if (!needed[i]) continue;
    for (const int source : graph.nodes[i].sources)
      if (source != kImage) needed[static_cast<std::size_t>(source)] = true;
  }
  GraphSpec part;
  part.file = graph.file;
  std::vector<int> moved(graph.nodes.size(), kImage);  // old index → new
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!needed[i]) continue;
    moved[i] = static_cast<int>(part.nodes.size());
    part.nodes.push_back(graph.nodes[i]);
    for (int& source : part.nodes.back().sources)
      if (source != kImage) source = moved[static_cast<std::size_t>(source)];
  }
  part.output = moved[static_cast<std::size_t>(wanted.front())];
  return part;
}

void fail(const GraphSpec& graph, const Node& node, const std::string& what) {
  throw Error(ErrorCode::kModel, quote(graph.file) + " line " + std::to_string(node.line) + ", " +
                                     std::string(node.op->name()) + " " + quote(node.name) + ": " + what);
}

}  // namespace glimpse::net
