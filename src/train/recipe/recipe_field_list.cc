#include "train/recipe/recipe_field_list.h"

namespace glimpse::train {
namespace {

constexpr Spelling<bool> kFlags[] = {{true, "yes"}, {false, "no"}};

Path resolved(std::string_view text, const Path& folder) {
  return text.empty() ? Path() : (folder / text).lexically_normal();
}

/// As it stood in the recipe; a path that has no way there from `folder` stays absolute.
std::string relative_to(const Path& path, const Path& folder) {
  if (path.empty()) return {};
  const Path relative = path.lexically_relative(folder);
  return relative.empty() ? path.native() : relative.native();
}

}  // namespace

std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    if (!part.empty()) parts.push_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

void FieldList::text(std::string_view key, std::string& member) {
  add(
      key,
      [&member](std::string_view value, const Path&) {
        member = value;
        return std::string();
      },
      [&member](const Path&) { return member; });
}

void FieldList::texts(std::string_view key, std::vector<std::string>& member) {
  add(
      key,
      [&member](std::string_view value, const Path&) {
        const std::vector<std::string_view> parts = split_list(value);
        member.assign(parts.begin(), parts.end());
        return std::string();
      },
      [&member](const Path&) { return join(member); });
}

void FieldList::output(std::string_view key, Path& member) {
  add(
      key,
      [&member](std::string_view value, const Path& folder) {
        member = resolved(value, folder);
        return std::string();
      },
      [&member](const Path& folder) { return relative_to(member, folder); });
}

void FieldList::input(std::string_view key, Path& member) {
  output(key, member);
  fields_.back().inputs = [&member] { return member.empty() ? std::vector<Path>() : std::vector<Path>{member}; };
}

void FieldList::inputs(std::string_view key, std::vector<Path>& member) {
  add(
      key,
      [&member](std::string_view value, const Path& folder) {
        member.clear();
        for (const std::string_view part : split_list(value)) member.push_back(resolved(part, folder));
        return std::string();
      },
      [&member](const Path& folder) {
        std::vector<std::string> parts;
        parts.reserve(member.size());
        for (const Path& path : member) parts.push_back(relative_to(path, folder));
        return join(parts);
      });
  fields_.back().inputs = [&member] { return member; };
}

void FieldList::flag(std::string_view key, bool& member) { choice<bool>(key, member, kFlags); }

void FieldList::fixed(std::string_view key, const std::string& member) {
  add(
      key, [&member](std::string_view value, const Path&) { return value == member ? std::string() : member; },
      [&member](const Path&) { return member; });
}

void FieldList::add(std::string_view key, decltype(Field::read) read, decltype(Field::write) write) {
  Field field;
  field.key = key;
  field.read = std::move(read);
  field.write = std::move(write);
  fields_.push_back(std::move(field));
}

}  // namespace glimpse::train
