#include "net/parser.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace glimpse::net {
namespace {

// Hostile text is refused before it costs anything; ResNet-152 has 363 nodes.
constexpr std::size_t kMaxTextBytes = 16 << 20;
constexpr std::size_t kMaxLineBytes = 64 << 10;
constexpr std::size_t kMaxNodes = 20'000;
constexpr std::size_t kMaxNameBytes = 256;
constexpr std::string_view kTokenName = "token";

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-' || c == '/' || c == ':';
  };
  return !text.empty() && text.size() <= kMaxNameBytes && std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace

std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& candidates) {
  const std::string_view near = nearest(name, candidates);
  return near.empty() ? std::string() : " (did you mean " + quote(near) + "?)";
}

Parser::Parser(std::string_view text, const std::string& file, ops::Dialect dialect, std::string_view input)
    : text_(text), dialect_(dialect), input_(input) {
  graph_.file = file;
}

GraphSpec Parser::parse() {
  if (text_.size() > kMaxTextBytes) fail_file("is longer than 16 MiB");
  int number = 0;
  for (const std::string_view line : split_lines(text_)) {
    line_ = ++number;
    if (line.size() > kMaxLineBytes) fail_line("is longer than 64 KiB");
    read_line(line);
  }
  if (statements_.empty()) fail_file("describes no node");
  for (const Statement& statement : statements_) add_node(statement);
  graph_.output = static_cast<int>(graph_.nodes.size()) - 1;
  finish(graph_);
  return std::move(graph_);
}

void Parser::read_line(std::string_view line) {
  const Words words = split_words(line.substr(0, line.find('#')));
  if (!words.empty() && !read_special(words)) read_statement(words);
}

void Parser::fail_file(const std::string& what) const {
  throw Error(ErrorCode::kModel, "graph " + quote(graph_.file) + " " + what);
}

void Parser::fail_line(const std::string& what) const {
  throw Error(ErrorCode::kModel, quote(graph_.file) + " line " + std::to_string(line_) + ": " + what);
}

void Parser::fail_statement(const Statement& statement, const std::string& what) const {
  throw Error(ErrorCode::kModel, quote(graph_.file) + " line " + std::to_string(statement.line) + ", " +
                                     std::string(statement.op->name()) + " " + quote(statement.names.front()) + ": " +
                                     what);
}

void Parser::read_statement(const Words& words) {
  Statement statement{line_, ops::find_operation(words[0], dialect_), {}, {}, {}};
  if (statement.op == nullptr) {
    fail_line("unknown op " + quote(words[0]) + did_you_mean(words[0], ops::operation_names(dialect_)));
  }
  std::size_t from = 3;
  if (statement.op->min_inputs() == 0 && words.size() > 1 && (words.size() == 2 || words[2] != "<")) {
    from = 2;
  } else if (words.size() < 3 || words[2] != "<") {
    fail_line("expected 'OP NAME < INPUTS key=value ...'");
  }
  read_names(statement, words[1]);
  for (std::size_t i = from; i < words.size(); ++i) {
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
  statements_.push_back(std::move(statement));
}

void Parser::read_names(Statement& statement, std::string_view text) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    const std::string_view name = text.substr(begin, comma - begin);
    begin = comma + 1;
    if (!is_name(name)) {
      fail_line("node name " + quote(name) + " is not 1 to 256 of the characters A-Z a-z 0-9 _ . - / :");
    }
    if (name == input_ || (dialect_ == ops::Dialect::kStep && name == kTokenName)) {
      fail_line("a node cannot be called " + quote(name) + ", which is the network's input");
    }
    statement.names.push_back(name);
    const auto [known, inserted] = lines_.emplace(name, line_);
    if (!inserted) {
      fail_statement(statement, "line " + std::to_string(known->second) + " already has a node of this name");
    }
  }
  const std::size_t least = statement.op->needed_results();
  const std::size_t most = statement.op->results();
  if (statement.names.size() >= least && statement.names.size() <= most) return;
  fail_statement(statement, "has " + std::to_string(least) + (most > least ? " to " + std::to_string(most) : "") +
                                " result" + (most == 1 ? "" : "s") + ", " + std::to_string(statement.names.size()) +
                                " named");
}

void Parser::add_node(const Statement& statement) {
  const ops::Operation& op = *statement.op;
  if (statement.inputs.size() < op.min_inputs() || statement.inputs.size() > op.max_inputs()) {
    const std::string least = std::to_string(op.min_inputs());
    std::string wanted = least;
    if (op.max_inputs() == ops::kAnyNumber) {
      wanted += " or more";
    } else if (op.max_inputs() > op.min_inputs()) {
      wanted += " to " + std::to_string(op.max_inputs());
    }
    fail_statement(statement, "takes " + wanted + " input" + (wanted == "1" ? "" : "s") + ", " +
                                  std::to_string(statement.inputs.size()) + " given");
  }
  Node node;
  node.op = &op;
  node.name = statement.names.front();
  node.line = statement.line;
  node.results = statement.names.size();
  for (const std::string_view input : statement.inputs) node.sources.push_back(resolve(statement, input));
  auto complaint = ops::read_attributes(op.name(), op.attributes(), statement.attributes, node.attributes);
  if (!complaint) complaint = op.finish(node.attributes);
  if (complaint) fail_statement(statement, *complaint);
  if (node.attributes.weights().empty()) node.attributes.set_weights(node.name);
  const auto index = static_cast<int>(graph_.nodes.size());
  indices_.emplace(statement.names.front(), index);
  graph_.nodes.push_back(std::move(node));
  for (std::size_t i = 1; i < statement.names.size(); ++i) {
    Node part;
    part.op = &ops::part_operation();
    part.name = statement.names[i];
    part.line = statement.line;
    part.sources = {index};
    part.attributes.set_count("index", static_cast<std::int64_t>(i));
    indices_.emplace(statement.names[i], static_cast<int>(graph_.nodes.size()));
    graph_.nodes.push_back(std::move(part));
  }
}

int Parser::resolve(const Statement& statement, std::string_view input) const {
  if (input == input_) return kImage;
  if (dialect_ == ops::Dialect::kStep && input == kTokenName) return kToken;
  if (const auto found = indices_.find(input); found != indices_.end()) return found->second;
  for (const std::string_view name : statement.names) {
    if (input == name) fail_statement(statement, "reads itself");
  }
  if (const auto later = lines_.find(input); later != lines_.end()) {
    fail_statement(statement, "input " + quote(input) + " comes only in line " + std::to_string(later->second) +
                                  "; a node must stand below its inputs");
  }
  std::vector<std::string_view> candidates = {input_};
  if (dialect_ == ops::Dialect::kStep) candidates.push_back(kTokenName);
  for (const auto& entry : indices_) candidates.push_back(entry.first);
  fail_statement(statement, "unknown input " + quote(input) + did_you_mean(input, candidates));
}

int Parser::find_node(std::string_view name, const std::string& what) const {
  const auto found = indices_.find(name);
  if (found != indices_.end()) return found->second;
  std::vector<std::string_view> candidates;
  for (const auto& entry : indices_) candidates.push_back(entry.first);
  fail_line(what + " " + quote(name) + " is not a node" + did_you_mean(name, candidates));
}

}  // namespace glimpse::net
