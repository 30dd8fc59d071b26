// glimpse eval: how good a model's captions are, beside those that people wrote.
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "commands/evaluate.h"
#include "io/results.h"

namespace glimpse::apps {
namespace {

using train::CaptionedSet;

constexpr int kBatch = 16;

struct EvalOptions {
  std::string captions;
  std::optional<std::string> images;
  std::optional<std::string> split;
  std::optional<std::string> results;  ///< score these, make none
  std::optional<std::string> output;
  Format format = Format::kText;
  int batch = kBatch;
  ModelOptions model;
};

CommandLine command_line() {
  OptionGroup group{
      "What to score",
      {{"captions", "FILE",
        "pictures and what people wrote: Karpathy's JSON, COCO captions JSON, or JSON lines with image and captions; "
        "required"},
       {"images", "DIR", "the folder that the names of the pictures start from (default: that of the captions)"},
       {"split", "NAME",
        "the pictures of this split (default: test where FILE has splits, else all; with --results: those it is "
        "about)"},
       {"results", "FILE",
        "only score these captions: COCO results JSON, or the records that caption --format json writes"},
       {"output,o", "FILE", "write the captions as COCO results JSON"},
       {"format", "FORMAT", "text (a table, in per cent) or json (default: text)"},
       {"batch", "N", "pictures at a time (default: " + std::to_string(kBatch) + ")"}}};
  CommandLine command = {
      "glimpse eval --captions FILE [--images DIR] [options]",
      "Captions the pictures of a set and says how near the captions are to those that people wrote: BLEU-1 to BLEU-4, "
      "ROUGE-L and CIDEr as the standard COCO evaluation computes them (CIDEr is its D variant, up to 1000 per cent); "
      "words a caption, distinct words, and the share of captions that no training caption of the same file reads "
      "like. Of scenes, whose things are known: how many captions name shape and colour right, and whether the model "
      "looked at what it named.",
      {group},
      "Exit codes: 0 all done, 1 internal error or a file not read or written, 2 wrong usage, 3 model unusable,\n"
      "4 some pictures failed and were left out, 130 interrupted.\n",
  };
  for (OptionGroup& shared : model_option_groups()) command.groups.push_back(std::move(shared));
  return command;
}

/// Options that make captions have no meaning where captions are given.
void refuse_beside_results(const ParsedArguments& arguments) {
  std::vector<std::string> names = {"images", "output", "batch"};
  for (const OptionGroup& group : model_option_groups()) {
    for (const Option& option : group.options) names.push_back(option.name());
  }
  for (const std::string& name : names) {
    if (!arguments.has(name)) continue;
    throw Error(ErrorCode::kUsage, "--" + name + " has no meaning with --results, which only scores");
  }
}

EvalOptions read_options(const ParsedArguments& arguments) {
  EvalOptions options;
  if (!arguments.positional.empty()) {
    throw Error(ErrorCode::kUsage, "eval takes no argument " + quote(arguments.positional.front()) +
                                       "; pictures are named by --captions FILE");
  }
  const std::optional<std::string> captions = arguments.text("captions");
  if (!captions) throw Error(ErrorCode::kUsage, "eval needs to know what people wrote: --captions FILE");
  options.captions = *captions;
  options.images = arguments.text("images");
  options.split = arguments.text("split");
  options.results = arguments.text("results");
  options.output = arguments.text("output");
  options.format = choose<Format>("format", arguments.text("format").value_or("text"),
                                  {{"text", Format::kText}, {"json", Format::kJson}});
  options.batch = arguments.integer("batch", kBatch, 1, 1024);
  if (options.results) refuse_beside_results(arguments);
  options.model = read_model_options(arguments);
  return options;
}

/// Calls `read`. A file that is not there, or is none of its kind, is the fault of the option that named it; one that
/// cannot be read is not.
template <typename Read>
auto read_named_file(const Read& read) {
  try {
    return read();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kIo || error.code() == ErrorCode::kPermission) throw;
    throw Error(ErrorCode::kUsage, error.what());
  }
}

void write_scores(const eval::SetScores& scores, Format format) {
  write_output(format == Format::kJson ? as_json(scores).dump() + "\n" : eval::as_table(scores));
}

ExitCode score_results(const EvalOptions& options, const CaptionedSet& all) {
  io::Results results = read_named_file([&] { return io::read_results(*options.results, all); });
  if (options.split) {
    std::erase_if(results.captions, [&](const io::CaptionResult& result) {
      return all.pictures[result.picture].split != *options.split;
    });
    const std::size_t wanted = take_split(all, *options.split).pictures.size();
    if (results.captions.size() + static_cast<std::size_t>(results.failed) < wanted) {
      throw Error(ErrorCode::kUsage, quote(*options.results) + " has captions of " +
                                         std::to_string(results.captions.size()) + " of the " + std::to_string(wanted) +
                                         " pictures of split " + quote(*options.split) +
                                         "; without --split those that it has are scored");
    }
  }
  if (results.captions.empty()) throw Error(ErrorCode::kUsage, quote(*options.results) + " has no caption to score");
  write_scores(eval::score_set(results.captions, all, all), options.format);
  if (results.failed == 0) return ExitCode::kDone;
  report(std::to_string(results.failed) + " results say that their picture failed; they are left out");
  return ExitCode::kSomeFailed;
}

ExitCode caption_and_score(const EvalOptions& options, const CaptionedSet& all) {
  const CaptionedSet set = eval::set_to_score(all, options.split);
  read_named_file([&] { return check_pictures_exist(set); });
  catch_interrupts();
  const eval::Evaluation evaluation = evaluate_set(set, all, options.model, options.batch);
  const eval::SetCaptions& made = evaluation.made;
  if (options.output) io::write_results(*options.output, set, made.captions);
  const std::size_t done = made.captions.size() + static_cast<std::size_t>(made.failed);
  if (interrupted()) {
    report("interrupted after " + std::to_string(done) + " of " + std::to_string(set.pictures.size()) +
           " pictures; no scores" + (options.output ? "; the captions made so far are written" : ""));
    return ExitCode::kInterrupted;
  }
  if (evaluation.scores) write_scores(*evaluation.scores, options.format);
  if (made.failed == 0) return ExitCode::kDone;
  report(std::to_string(made.failed) + " of " + std::to_string(done) + " pictures failed and are left out");
  return ExitCode::kSomeFailed;
}

}  // namespace

ExitCode run_eval(Arguments arguments) {
  const std::optional<ParsedArguments> parsed = parse_arguments(command_line(), arguments);
  if (!parsed) return ExitCode::kDone;
  const EvalOptions options = read_options(*parsed);
  const CaptionedSet all =
      read_named_file([&] { return train::read_captioned_set(options.captions, options.images.value_or("")); });
  return options.results ? score_results(options, all) : caption_and_score(options, all);
}

}  // namespace glimpse::apps
