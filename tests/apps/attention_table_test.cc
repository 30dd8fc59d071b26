// Every mechanism that `glimpse info --attention` lists can be requested.
#include "commands/attention_table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/error.h"
#include "net/graph.h"
#include "support/paths.h"
#include "train/recipe/recipe.h"

namespace glimpse::apps {
namespace {

/// The error of parse_recipe for `line` in `section`; empty if it accepts the line.
std::string complaint(const std::string& section, const std::string& line) {
  try {
    train::parse_recipe("[" + section + "]\n" + line + "\n", "table.conf", "/");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(AttentionTable, RecipesTakeItsWords) {
  int words = 0;
  for (const AttentionEntry& entry : attention_table()) {
    const std::string setting(entry.setting);
    if (!setting.starts_with("[")) continue;
    const std::string section = setting.substr(1, setting.find(']') - 1);
    const std::string key = setting.substr(setting.find(' ') + 1);
    const std::string word(entry.name == "N" ? "2" : entry.name);
    ++words;
    // A one-line recipe lacks other keys; only this one is tested.
    EXPECT_EQ(complaint(section, key + " = " + word).find("line 2"), std::string::npos)
        << complaint(section, key + " = " + word);
    EXPECT_NE(complaint(section, key + " = nonsense").find("line 2"), std::string::npos);
  }
  EXPECT_GT(words, 15);
}

TEST(AttentionTable, GraphsTakeItsOps) {
  int ops = 0;
  for (const AttentionEntry& entry : attention_table()) {
    if (entry.group != "encoder") continue;
    const std::string heads = entry.name == "selfattention" ? " heads=1" : "";
    EXPECT_NO_THROW(net::parse_graph(std::string(entry.name) + " a < image" + heads + "\n", "table.graph"));
    ++ops;
  }
  EXPECT_EQ(ops, 3);
}

TEST(AttentionTable, EveryEntryHasItsEquationAndSource) {
  std::set<std::string> names;
  for (const AttentionEntry& entry : attention_table()) {
    EXPECT_TRUE(names.insert(std::string(entry.setting) + std::string(entry.name)).second) << entry.name << " twice";
    EXPECT_FALSE(entry.equation.empty()) << entry.name;
    EXPECT_FALSE(entry.source.empty()) << entry.name;
  }
}

}  // namespace
}  // namespace glimpse::apps
