#include "commands/evaluate.h"

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "pipeline/locations.h"

namespace glimpse::apps {

eval::Evaluation evaluate_set(const train::CaptionedSet& set, const train::CaptionedSet& all,
                              const ModelOptions& options, int batch) {
  CaptionerOptions captioner_options;
  captioner_options.batch = batch;
  captioner_options.threads = options.threads;
  captioner_options.tuning = dnn::Tuning::kMeasure;
  captioner_options.tuning_cache = tuning_cache();
  const Captioner captioner(load_model(options.model), captioner_options);
  Progress progress(set.pictures.size(), "pictures");
  eval::SetEvents events;
  events.failed = [&](const Error& error) {
    progress.clear();
    report_error(error.what());
  };
  events.advanced = [&] { progress.advance(1); };
  return evaluate(set, all, captioner, options.caption, events, interrupt_token());
}

}  // namespace glimpse::apps
