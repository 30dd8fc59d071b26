/// Reads the lines that networks and decoders have in common: nodes with inputs and attributes. Internal to net.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "net/graph.h"

namespace glimpse::net {

class Parser {
 public:
  /// `input` is what the text calls the network's input. `text` is borrowed.
  Parser(std::string_view text, const std::string& file, ops::Dialect dialect, std::string_view input);
  virtual ~Parser() = default;

  /// All nodes; what else there is in the text is kept by whoever derives from this.
  GraphSpec parse();

 protected:
  using Words = std::vector<std::string_view>;

  /// Takes a line that is no node; false: it is one.
  virtual bool read_special(const Words& words) = 0;
  /// Called when all nodes are there.
  virtual void finish(GraphSpec& graph) = 0;

  void read_line(std::string_view line);
  void set_line(int line) { line_ = line; }
  int line() const { return line_; }
  bool has_statements() const { return !statements_.empty(); }
  /// The node called `name`, for a line that says `what`.
  int find_node(std::string_view name, const std::string& what) const;
  [[noreturn]] void fail_file(const std::string& what) const;
  [[noreturn]] void fail_line(const std::string& what) const;

 private:
  /// One line's tokens, before anything is known about the nodes around it.
  struct Statement {
    int line = 0;
    const ops::Operation* op = nullptr;
    std::vector<std::string_view> names;  // the node's, and those of further results
    std::vector<std::string_view> inputs;
    std::vector<ops::RawAttribute> attributes;
  };

  [[noreturn]] void fail_statement(const Statement& statement, const std::string& what) const;
  void read_statement(const Words& words);
  void read_names(Statement& statement, std::string_view text);
  void add_node(const Statement& statement);
  int resolve(const Statement& statement, std::string_view input) const;

  std::string_view text_;
  GraphSpec graph_;
  ops::Dialect dialect_;
  std::string_view input_;
  int line_ = 0;
  std::vector<Statement> statements_;
  std::map<std::string_view, int> lines_;    // of every name
  std::map<std::string_view, int> indices_;  // of the nodes added so far
};

/// " (did you mean 'X'?)", or nothing.
std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace glimpse::net
