#include "pipeline/picture_sink.h"

namespace glimpse {

class DeliverySink::Task : public PictureTask {
 public:
  explicit Task(DeliverySink& sink) : sink_(sink) {}
  bool deliver(BatchResult& result) override {
    sink_.deliver(result);
    return true;
  }

 private:
  DeliverySink& sink_;
};

std::unique_ptr<PictureTask> DeliverySink::plan(BatchInput& /*input*/) { return std::make_unique<Task>(*this); }

}  // namespace glimpse
