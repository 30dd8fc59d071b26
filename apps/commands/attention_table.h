/// Every attention mechanism that glimpse knows, for `glimpse info --attention`: what it computes, who described it,
/// and how a recipe or a graph asks for it.
#pragma once

#include <span>
#include <string_view>

namespace glimpse::apps {

struct AttentionEntry {
  std::string_view group;     ///< what it chooses or weighs: "score", "selector", …
  std::string_view name;      ///< the word that asks for it
  std::string_view setting;   ///< where that word stands: "[decoder] score", "graph op"
  std::string_view equation;  ///< on one line
  std::string_view source;
};

std::span<const AttentionEntry> attention_table();

}  // namespace glimpse::apps
