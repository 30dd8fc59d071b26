#include "dnn/yardsticks/bare_convolution.h"

#include "dnn/plan/workload.h"

namespace glimpse::dnn {

struct BareConvolution::Impl {
  std::unique_ptr<Workload> workload;
  int threads = 1;
};

BareConvolution::BareConvolution(const ConvolutionProblem& problem, int threads) : impl_(std::make_unique<Impl>()) {
  impl_->threads = threads;
  run_on_threads(threads, [&] {
    impl_->workload = translate_errors("bare convolution",
                                       [&] { return Workload::convolution(problem, ConvolutionVariant::kPreferred); });
  });
}

BareConvolution::~BareConvolution() = default;
BareConvolution::BareConvolution(BareConvolution&&) noexcept = default;
BareConvolution& BareConvolution::operator=(BareConvolution&&) noexcept = default;

double BareConvolution::run() {
  double seconds = 0;
  run_on_threads(impl_->threads, [&] { seconds = impl_->workload->run(); });
  return seconds;
}

const std::string& BareConvolution::implementation() const { return impl_->workload->implementation(); }

struct BareProduct::Impl {
  std::unique_ptr<Workload> workload;
  std::int64_t size = 0;
  int threads = 1;
};

BareProduct::BareProduct(std::int64_t size, int threads) : impl_(std::make_unique<Impl>()) {
  impl_->size = size;
  impl_->threads = threads;
  run_on_threads(threads,
                 [&] { impl_->workload = translate_errors("bare product", [&] { return Workload::product(size); }); });
}

BareProduct::~BareProduct() = default;

double BareProduct::run() {
  double seconds = 0;
  run_on_threads(impl_->threads, [&] { seconds = impl_->workload->run(); });
  return seconds;
}

std::int64_t BareProduct::flops() const { return 2 * impl_->size * impl_->size * impl_->size; }

}  // namespace glimpse::dnn
