#include "net/graph.h"

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "net/parser.h"

namespace glimpse::net {
namespace {

class NetworkParser final : public Parser {
 public:
  NetworkParser(std::string_view text, const std::string& file)
      : Parser(text, file, ops::Dialect::kNetwork, kImageName) {}

 private:
  bool read_special(const Words& words) override {
    if (words[0] == "version") {
      read_version(words);
    } else if (words[0] == "output") {
      read_output(words);
    } else {
      return false;
    }
    return true;
  }

  void read_version(const Words& words) {
    if (has_statements() || output_line_ > 0 || has_version_) {
      fail_line("'version' must stand once, before everything else");
    }
    if (words.size() != 2) fail_line("expected 'version NUMBER'");
    if (words[1] != "1") {
      fail_line("version " + quote(words[1]) + " of the graph language is not known to this glimpse, which reads 1");
    }
    has_version_ = true;
  }

  void read_output(const Words& words) {
    if (words.size() != 2) fail_line("expected 'output NODE'");
    if (output_line_ > 0) fail_line("a second 'output'; the first is in line " + std::to_string(output_line_));
    output_line_ = line();
    output_ = words[1];
  }

  void finish(GraphSpec& graph) override {
    if (output_line_ == 0) return;
    set_line(output_line_);
    graph.output = find_node(output_, "output");
  }

  bool has_version_ = false;
  int output_line_ = 0;
  std::string_view output_;
};

}  // namespace

GraphSpec parse_graph(std::string_view text, const std::string& file) { return NetworkParser(text, file).parse(); }

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
