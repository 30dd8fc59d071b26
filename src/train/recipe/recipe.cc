#include "train/recipe/recipe.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "train/stages/looking.h"
#include "train/recipe/recipe_fields.h"

namespace glimpse::train {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr std::string_view kBase = "base";  ///< the key that names another recipe; it has no value of its own

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

/// `line` up to a '#' at its start or after white space.
std::string_view without_comment(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) return line.substr(0, i);
  }
  return line;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& known) {
  const std::string_view near = nearest(name, known);
  return near.empty() ? std::string() : "; did you mean " + quote(near) + "?";
}

std::string name_of(std::string_view section) {
  return section.empty() ? "the part before any section" : '[' + std::string(section) + ']';
}

const Field* find(const std::vector<Field>& fields, std::string_view key) {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.key == key; });
  return found == fields.end() ? nullptr : &*found;
}

std::string unknown_key(std::string_view section, const std::vector<Field>& fields, std::string_view key) {
  std::vector<std::string_view> known;
  known.reserve(fields.size());
  for (const Field& field : fields) known.push_back(field.key);
  if (section.empty()) known.push_back(kBase);
  return name_of(section) + " has no key " + quote(key) + did_you_mean(key, known);
}

std::string unknown_section(std::string_view section) {
  std::string known;
  for (const std::string_view name : section_names()) {
    if (!name.empty()) known += (known.empty() ? "" : ", ") + std::string(name);
  }
  return "there is no section " + quote(section) + did_you_mean(section, section_names()) + " (known are " + known +
         ')';
}

bool is_section(std::string_view name) {
  const std::vector<std::string_view>& names = section_names();
  return !name.empty() && std::find(names.begin(), names.end(), name) != names.end();
}

/// Gives `value` to `field`; what comes back is a complaint or empty.
std::string assign(const Field& field, std::string_view value, const std::filesystem::path& folder) {
  if (to_valid_utf8(value) != value || value.find('\0') != std::string_view::npos) {
    return quote(field.key) + " is " + quote(value) + ", which is not UTF-8 text";
  }
  const std::string wanted = field.read(value, folder);
  return wanted.empty() ? std::string() : quote(field.key) + " is " + quote(value) + "; give " + wanted;
}

/// Reads a recipe's text onto what its base, if it has one, made.
class Parser {
 public:
  /// `chain`: the recipes that have this one for their base, and it itself, as far as they are files.
  Parser(const std::string& file, const std::filesystem::path& folder, std::vector<std::filesystem::path> chain)
      : file_(file), folder_(std::filesystem::absolute(folder).lexically_normal()), chain_(std::move(chain)) {
    fields_ = section_fields(recipe_, "");
  }

  Recipe parse(std::string_view text) {
    for (const std::string_view line : split_lines(text)) {
      ++line_;
      const std::string_view content = trimmed(without_comment(line));
      if (content.empty()) continue;
      if (content.front() == '[') {
        open_section(content);
      } else {
        take_key(content);
      }
    }
    fields_.clear();  // they refer to the recipe that is moved away
    recipe_.folder = folder_;
    return std::move(recipe_);
  }

 private:
  [[noreturn]] void fail(const std::string& what, ErrorCode code = ErrorCode::kUsage) const {
    throw Error(code, quote(file_) + " line " + std::to_string(line_) + ": " + what);
  }

  void open_section(std::string_view content) {
    if (content.back() != ']') fail(quote(content) + " is not a section; write it as [name]");
    const std::string_view name = trimmed(content.substr(1, content.size() - 2));
    if (!is_section(name)) fail(unknown_section(name));
    const auto [first, is_new] = sections_.emplace(name, line_);
    if (!is_new)
      fail("section " + name_of(name) + " stands here twice, first in line " + std::to_string(first->second));
    section_ = name;
    keys_.clear();
    if (!has_section(recipe_, section_)) add_section(recipe_, section_);
    fields_ = section_fields(recipe_, section_);
  }

  void take_key(std::string_view content) {
    const std::size_t equals = content.find('=');
    if (equals == std::string_view::npos) fail(quote(content) + " is neither a [section] nor key = value");
    const std::string_view key = trimmed(content.substr(0, equals));
    const std::string_view value = trimmed(content.substr(equals + 1));
    const bool is_base = section_.empty() && key == kBase;
    const Field* field = find(fields_, key);
    if (field == nullptr && !is_base) fail(unknown_key(section_, fields_, key));
    const auto [first, is_new] = keys_.emplace(key, line_);
    if (!is_new) fail("key " + quote(key) + " stands here twice, first in line " + std::to_string(first->second));
    if (is_base) return take_base(value);
    const std::string complaint = assign(*field, value, folder_);
    if (!complaint.empty()) fail(complaint);
  }

  void take_base(std::string_view value) {
    if (keys_.size() > 1) fail("'base' comes after other keys, which it would undo; make it the first");
    if (value.empty()) fail("'base' is empty; give the recipe that this one is like");
    const std::filesystem::path path = (folder_ / value).lexically_normal();
    if (std::ranges::find(chain_, path) != chain_.end()) {
      fail("base " + quote(value) + " leads back to " + quote(path.native()) + ", whose base this is");
    }
    std::string text;
    try {
      text = read_file(path, kMaxBytes);
    } catch (const Error& error) {
      fail("base " + quote(value) + ": " + error.what(), error.code());
    }
    chain_.push_back(path);
    fields_.clear();
    const std::string name = path.native();
    recipe_ = Parser(name, path.parent_path(), chain_).parse(text);
    fields_ = section_fields(recipe_, section_);
  }

  const std::string& file_;
  const std::filesystem::path folder_;
  std::vector<std::filesystem::path> chain_;
  Recipe recipe_;
  std::size_t line_ = 0;
  std::string section_;
  std::vector<Field> fields_;                             ///< of the section that is open
  std::map<std::string, std::size_t, std::less<>> keys_;  ///< seen in it, with their lines
  std::map<std::string, std::size_t, std::less<>> sections_;
};

void check_inputs(Recipe& recipe) {
  for (const std::string_view section : section_names()) {
    if (!has_section(recipe, section)) continue;
    for (const Field& field : section_fields(recipe, section)) {
      for (const std::filesystem::path& path : field.inputs()) {
        std::error_code error;
        if (std::filesystem::exists(path, error)) continue;
        throw Error(ErrorCode::kMissing, "the recipe's " + quote(full_key(section, field.key)) + ", " +
                                             quote(path.native()) + ", does not exist");
      }
    }
  }
}

[[noreturn]] void fail_check(const std::string& what) { throw Error(ErrorCode::kUsage, "the recipe " + what); }

void require(bool is_given, const std::string& key, const std::string& reason) {
  if (!is_given) fail_check("gives no " + quote(key) + ", which " + reason + " needs");
}

void check_distill(const Recipe& recipe, const DistillStage& stage) {
  const std::string reason = "section [distill]";
  require(!recipe.encoder.graph.empty(), "encoder.graph", reason);
  require(!recipe.encoder.output.empty(), "encoder.output", reason);
  require(!stage.teacher_graph.empty(), "distill.teacher-graph", reason);
  require(!stage.teacher_weights.empty(), "distill.teacher-weights", reason);
  require(!stage.target.empty() || stage.logits_weight > 0, "distill.target", reason);
  require(stage.logits_weight == 0 || !stage.teacher_output.empty(), "distill.teacher-output", "logits-weight");
  require(!recipe.data.unlabelled.empty() || !recipe.data.photos.empty(), "data.unlabelled", reason);
}

/// A cache holds one map a picture, and its mirror image's.
void check_cache(const std::string& section, const std::filesystem::path& cache, const AugmentOptions& augment) {
  const bool crops = augment.scale_min < 1 || augment.ratio_min != 1 || augment.ratio_max != 1 || augment.colour > 0;
  if (!cache.empty() && crops) {
    fail_check("has crop-scale, crop-ratio or colour in [" + section + "] beside a cache; take them or the cache out");
  }
}

/// Heads that cannot share a size are named before the first step.
void check_heads(const DecoderOptions& decoder) {
  const int heads = decoder.formulas.heads;
  const bool projects = decoder.formulas.feature_projection != DecoderConfig::FeatureProjection::kNone;
  for (const auto& [key, size] : {std::pair("attention", decoder.attention), std::pair("feature", decoder.feature)}) {
    if (size % heads == 0 || (key == std::string_view("feature") && !projects)) continue;
    fail_check("has decoder.heads = " + std::to_string(heads) + ", which cannot share decoder." + key + " = " +
               std::to_string(size) + " evenly");
  }
}

void check_caption(const Recipe& recipe, const CaptionStage& stage) {
  if (stage.language_epochs > 0) require(!recipe.data.sentences.empty(), "data.sentences", "caption.language-epochs");
  check_cache("caption", stage.cache, stage.augment);
}

void check_scst(const ScstStage& stage) {
  if (stage.baseline == ScstStage::Baseline::kMean && stage.samples < 2) {
    fail_check("has baseline = mean in [scst] with samples = 1; the mean is the other samples', so draw 2 or more");
  }
  if (!stage.cache.empty() && stage.encoder_learning_rate > 0) {
    fail_check("has a cache in [scst] while the encoder learns; set encoder-learning-rate = 0 or take the cache out");
  }
  check_cache("scst", stage.cache, stage.augment);
}

void check_look(const Recipe& recipe) {
  if (!recipe.digits || !recipe.look) fail_check("has one of [digits] and [look] without the other");
  if (recipe.distill || recipe.caption || recipe.finetune || recipe.scst || !recipe.from.empty()) {
    fail_check("has [look] beside a captioner's stage or 'from'; a model that looks around is trained by itself");
  }
  const digits::DigitOptions& pictures = recipe.digits->pictures;
  digits::check(pictures);
  if (pictures.kind == digits::Kind::kRow && recipe.look->formulas.kind == LookConfig::Kind::kRam) {
    fail_check("has digits.kind = row, of which look.kind = ram could say one; take dram");
  }
  if (recipe.name.empty()) fail_check("gives no 'name', which a model needs");
  check(look_config_of(recipe));
}

}  // namespace

Recipe parse_recipe(std::string_view text, const std::string& file, const std::filesystem::path& folder) {
  return Parser(file, folder, {}).parse(text);
}

Recipe read_recipe(const std::filesystem::path& path) {
  const std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  const std::string text = read_file(path, kMaxBytes);
  const std::string file = path.native();
  return Parser(file, whole.parent_path(), {whole}).parse(text);
}

void set(Recipe& recipe, std::string_view key, std::string_view value) {
  const std::size_t dot = key.find('.');
  const std::string_view section = dot == std::string_view::npos ? std::string_view() : key.substr(0, dot);
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::kUsage, "cannot set " + quote(key) + " of the recipe: " + what);
  };
  if (key == kBase) fail("it can only stand in a recipe's file");
  if (dot != std::string_view::npos && !is_section(section)) fail(unknown_section(section));
  if (!has_section(recipe, section)) fail("it has no section " + name_of(section));
  const std::vector<Field> fields = section_fields(recipe, section);
  const std::string_view name = dot == std::string_view::npos ? key : key.substr(dot + 1);
  const Field* field = find(fields, name);
  if (field == nullptr) fail(unknown_key(section, fields, name));
  if (value.find('\n') != std::string_view::npos || trimmed(without_comment(value)) != value) {
    fail(quote(value) + " could not stand in a recipe: it has a comment, a new line or white space at an end");
  }
  const std::string complaint = assign(*field, value, std::filesystem::current_path());
  if (!complaint.empty()) fail(complaint);
}

void check(const Recipe& recipe) {
  const bool has_captions = recipe.caption || recipe.finetune || recipe.scst;
  const bool looks = recipe.digits || recipe.look;
  if (!recipe.distill && !has_captions && !looks) {
    fail_check("has no stage; add a section [distill], [caption], [finetune], [scst] or [look]");
  }
  if (looks) check_look(recipe);
  require(!recipe.output.empty(), "output", "every recipe");
  if (recipe.distill) check_distill(recipe, *recipe.distill);
  if (has_captions) {
    require(!recipe.data.captions.empty(), "data.captions", "a stage with captions");
    require(!recipe.data.photos.empty(), "data.photos", "a stage with captions");
    require(!recipe.data.train_splits.empty(), "data.train-splits", "a stage with captions");
    check_heads(recipe.decoder);
  }
  if (recipe.caption) check_caption(recipe, *recipe.caption);
  if (recipe.scst) check_scst(*recipe.scst);
  Recipe copy = recipe;
  check_inputs(copy);
}

std::string to_text(const Recipe& recipe) {
  Recipe copy = recipe;
  std::string text;
  for (const std::string_view section : section_names()) {
    if (!has_section(copy, section)) continue;
    if (!section.empty()) text += "\n[" + std::string(section) + "]\n";
    for (const Field& field : section_fields(copy, section)) {
      const std::string value = field.write(recipe.folder);
      text += std::string(field.key) + (value.empty() ? " =" : " = " + value) + '\n';
    }
  }
  return text;
}

}  // namespace glimpse::train
