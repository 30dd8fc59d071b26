#include "cli/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>

#include "core/numbers.h"

namespace glimpse::apps {
namespace {

constexpr int kMaxBeam = 1000;
constexpr int kMaxWords = 1000;
constexpr int kMaxThreads = 1024;
constexpr double kLargestPixel = 1e9;

OptionGroup search_group() {
  const search::SearchOptions standard;
  const auto with_default = [](const std::string& text, const std::string& value) {
    return text + " (default: " + value + ")";
  };
  return {
      "How captions are searched for",
      {{"beam,b", "N",
        with_default("beam width; 1 is greedy, wider is slower and often a little better",
                     std::to_string(standard.beam))},
       {"sample", "top-k=K,top-p=P,temperature=T",
        "draw words at random instead, from the K likeliest, or the likeliest that make up P together; T below 1 is "
        "tamer, above 1 wilder. Name any of the three"},
       {"seed", "N", "start of the random numbers of --sample: the same seed, the same captions"},
       {"hard-sample", "SEED",
        "of a model with hard attention: draw the cells that it looks at, instead of taking the best; the same seed, "
        "the same captions"},
       {"roi", "X,Y,W,H",
        "look only at this rectangle: its left and top, width and height in pixels of the upright picture"},
       {"mask", "FILE", "look only where this picture, stretched to the size of the other, is white"},
       {"length-penalty", "A",
        with_default("score = log-probability / (words, end counted)^A", in_short(standard.length_penalty))},
       {"max-words", "N", with_default("longest caption", std::to_string(standard.max_words))},
       {"min-words", "N", with_default("shortest caption", std::to_string(standard.min_words))},
       {"no-repeat-ngram", "N",
        with_default("say no N words in the same order twice; 0 allows it", std::to_string(standard.no_repeat_ngram))},
       {"top,n", "N", "the N best captions, with their log-probabilities; widens the beam to N"},
       {"require", "WORD", "every caption has this word; may be given several times", kRepeatable},
       {"forbid", "WORD", "no caption has this word; may be given several times", kRepeatable},
       {"prefix", "TEXT", "every caption begins with this text: --prefix \"a photo of\""}}};
}

double sampling_number(const std::string& key, std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorCode::kUsage, "--sample: " + key + " takes a number, not " + quote(text));
  }
  return value;
}

/// "top-k=K,top-p=P,temperature=T", any of them.
search::SamplingOptions parse_sampling(std::string_view text) {
  search::SamplingOptions sampling;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
      throw Error(ErrorCode::kUsage, "--sample takes key=value pairs with commas between them, not " + quote(part) +
                                         ": --sample top-k=20,temperature=0.8");
    }
    const std::string key(part.substr(0, equals));
    const double value = sampling_number(key, part.substr(equals + 1));
    if (key == "temperature") {
      sampling.temperature = value;
    } else if (key == "top-p") {
      sampling.top_p = value;
    } else if (key == "top-k") {
      if (!(value >= 0 && value <= std::numeric_limits<int>::max() && value == static_cast<int>(value))) {
        throw Error(ErrorCode::kUsage, "--sample: top-k takes a whole number, not " + quote(part.substr(equals + 1)));
      }
      sampling.top_k = static_cast<int>(value);
    } else {
      throw Error(ErrorCode::kUsage, "--sample does not know " + quote(key) +
                                         did_you_mean(key, {"top-k", "top-p", "temperature"}) +
                                         " (it takes: top-k, top-p, temperature)");
    }
  }
  return sampling;
}

search::SearchOptions read_search(const ParsedArguments& arguments) {
  search::SearchOptions options;
  options.top = arguments.integer("top", options.top, 1, kMaxBeam);
  options.beam = arguments.integer("beam", std::max(options.beam, options.top), 1, kMaxBeam);
  options.length_penalty = arguments.real("length-penalty", options.length_penalty, 0, 10);
  options.max_words = arguments.integer("max-words", options.max_words, 1, kMaxWords);
  options.min_words = arguments.integer("min-words", options.min_words, 0, kMaxWords);
  options.no_repeat_ngram = arguments.integer("no-repeat-ngram", options.no_repeat_ngram, 0, kMaxWords);
  options.seed = static_cast<std::uint64_t>(arguments.integer("seed", 0, 0, std::numeric_limits<int>::max()));
  if (arguments.has("sample")) {
    if (arguments.has("beam")) throw Error(ErrorCode::kUsage, "--beam and --sample exclude each other; give one");
    options.sampling = parse_sampling(*arguments.text("sample"));
  } else if (arguments.has("seed")) {
    throw Error(ErrorCode::kUsage, "--seed has a meaning only with --sample; beam search draws no random numbers");
  }
  return options;
}

/// "x,y,w,h", in pixels.
Rect parse_roi(std::string_view text) {
  std::vector<double> numbers;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find(',', from), text.size());
    double number = 0;
    const auto [end, error] = std::from_chars(text.data() + from, text.data() + to, number);
    const bool good = error == std::errc() && end == text.data() + to && std::abs(number) <= kLargestPixel;
    numbers.push_back(good ? number : std::nan(""));
    from = to + 1;
  }
  const bool finite = std::ranges::none_of(numbers, [](double number) { return std::isnan(number); });
  if (!finite || numbers.size() != 4 || numbers[2] <= 0 || numbers[3] <= 0) {
    throw Error(ErrorCode::kUsage, "--roi takes left, top, width and height in pixels, the last two above 0, not " +
                                       quote(text) + ": --roi 100,50,200,200");
  }
  return {numbers[0], numbers[1], numbers[2], numbers[3]};
}

}  // namespace

std::vector<OptionGroup> model_option_groups() {
  OptionGroup model{"Model and machine",
                    {{"model,m", "FILE",
                      "model bundle, or folder of an unpacked model (default: GLIMPSE_MODEL, else the model that comes "
                      "with glimpse)"},
                     {"threads,t", "N", "processor threads (default: all that the process may use)"}}};
  return {search_group(), model};
}

std::vector<OptionGroup> shared_option_groups() {
  OptionGroup output{
      "Results",
      {{"format", "FORMAT", "text, json (an object a line) or csv (default: text)"},
       {"attention", "", "with --format json: the attention over the cells of the map, a row a word"},
       {"timing", "", "add the milliseconds that each picture took, from reading its file to the caption"},
       {"nul,0", "", "paths on standard input end with NUL, as find -print0 writes them, not with a newline"}}};
  std::vector<OptionGroup> groups = model_option_groups();
  groups.push_back(output);
  return groups;
}

std::string picture_notes() {
  return "PICTURE is a file, a folder (its pictures by name; subfolders are left out), a pattern such as '*.jpg', or "
         "-\n"
         "for a list of paths on standard input. A picture that cannot be read is reported and the others are done.\n\n"
         "Exit codes: 0 all done, 1 internal error or results not written, 2 wrong usage, 3 model unusable,\n"
         "4 some pictures failed, 130 interrupted.\n";
}

ModelOptions read_model_options(const ParsedArguments& arguments) {
  ModelOptions options;
  options.model = arguments.text("model");
  options.caption.search = read_search(arguments);
  options.caption.required = arguments.list("require");
  options.caption.forbidden = arguments.list("forbid");
  for (const std::string& word : options.caption.required) {
    if (std::count(options.caption.forbidden.begin(), options.caption.forbidden.end(), word) > 0) {
      throw Error(ErrorCode::kUsage, quote(word) + " is both required and forbidden");
    }
  }
  if (arguments.has("roi")) options.caption.region.box = parse_roi(*arguments.text("roi"));
  if (arguments.has("mask")) {
    options.caption.region.mask = std::make_shared<const Image>(load_image(*arguments.text("mask")));
  }
  if (arguments.has("hard-sample")) {
    const int seed = arguments.integer("hard-sample", 0, 0, std::numeric_limits<int>::max());
    options.caption.hard_seed = static_cast<std::uint64_t>(seed);
  }
  options.caption.prefix = arguments.text("prefix").value_or("");
  options.threads = arguments.integer("threads", 0, 1, kMaxThreads);
  return options;
}

SharedOptions read_shared_options(const ParsedArguments& arguments) {
  SharedOptions options;
  static_cast<ModelOptions&>(options) = read_model_options(arguments);
  options.format = choose<Format>("format", arguments.text("format").value_or("text"),
                                  {{"text", Format::kText}, {"json", Format::kJson}, {"csv", Format::kCsv}});
  options.attention = arguments.has("attention");
  options.timing = arguments.has("timing");
  options.nul_separated = arguments.has("nul");
  options.inputs = arguments.positional;
  if (options.attention && options.format != Format::kJson) {
    throw Error(ErrorCode::kUsage, "--attention needs --format json: there is no place for the maps in text and csv");
  }
  if (options.inputs.empty()) throw Error(ErrorCode::kUsage, "no pictures given (--help shows how)");
  return options;
}

}  // namespace glimpse::apps
