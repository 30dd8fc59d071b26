// Operations between the products, number by number, of a decoder's step.

#include <algorithm>
#include <cmath>

#include "dnn/math/activation.h"
#include "dnn/math/vector_math.h"
#include "ops/families.h"
#include "ops/step_context.h"

namespace glimpse::ops {
namespace {

/// Of a source as a value of the binding's items: pictures' are the same for all their rows.
struct Reader {
  StepView view;
  std::int64_t repeated;
  Reader(const StepBinding& binding, std::size_t index)
      : view(binding.src(index)), repeated(view.of_picture && binding.in_step() ? binding.sizes().rows_per_image : 1) {}
  const float* row(std::int64_t item, std::int64_t r) const { return view.item(item / repeated) + r * view.stride; }
};

std::size_t floats(std::int64_t width) { return static_cast<std::size_t>(width); }

/// Calls body(item, row of the item) for all rows of all items.
template <typename Body>
void each_row(StepBinding& binding, StepPart part, const StepView& dst, Body body) {
  const std::int64_t rows = std::max<std::int64_t>(1, dst.cells);
  binding.each_item(part, dst.floats(), [=](std::int64_t item) {
    for (std::int64_t r = 0; r < rows; ++r) body(item, r);
  });
}

float* row_of(const StepView& dst, std::int64_t item, std::int64_t r) { return dst.item(item) + r * dst.stride; }

}  // namespace

std::unique_ptr<PackedStep> pack_activate(const PackContext& node) {
  const dnn::Activation activation = node.view.attributes().activation();
  return std::make_unique<Unweighted>([activation](StepBinding& binding) {
    const Reader src(binding, 0);
    const StepView dst = binding.make(src.view.width, src.view.cells);
    const auto forward = dnn::function_of(activation.kind).forward;
    each_row(binding, StepPart::kGates, dst, [=](std::int64_t item, std::int64_t r) {
      forward(activation, src.row(item, r), row_of(dst, item, r), dst.width);
    });
    binding.give(dst);
  });
}

std::unique_ptr<PackedStep> pack_binary(const PackContext& node, bool multiplies) {
  const dnn::Activation activation = node.view.attributes().activation();
  return std::make_unique<Unweighted>([=](StepBinding& binding) {
    const Reader a(binding, 0);
    const Reader b(binding, 1);
    const StepView dst = binding.make(a.view.width, a.view.cells);
    const auto forward = dnn::function_of(activation.kind).forward;
    const bool one_number = b.view.width == 1 && a.view.width > 1;
    const bool of_channels = a.view.cells > 0 && b.view.cells == 0;
    each_row(binding, StepPart::kGates, dst, [=](std::int64_t item, std::int64_t r) {
      const float* left = a.row(item, r);
      const float* right = b.row(item, of_channels ? 0 : r);
      float* to = row_of(dst, item, r);
      const std::span<const float> values(left, floats(dst.width));
      if (!multiplies) {
        dnn::add(values, right, to);
      } else if (one_number) {
        dnn::scale(values, *right, to);
      } else {
        dnn::scale_each(values, right, to);
      }
      if (activation.kind != dnn::Activation::Kind::kNone) forward(activation, to, to, dst.width);
    });
    binding.give(dst);
  });
}

std::unique_ptr<PackedStep> pack_mix(const PackContext&) {
  return std::make_unique<Unweighted>([](StepBinding& binding) {
    const Reader a(binding, 0);
    const Reader b(binding, 1);
    const Reader gate(binding, 2);
    const StepView dst = binding.make(a.view.width);
    const bool one_number = gate.view.width == 1;
    each_row(binding, StepPart::kGates, dst, [=](std::int64_t item, std::int64_t) {
      const float* open = gate.row(item, 0);
      const float* left = a.row(item, 0);
      const float* right = b.row(item, 0);
      float* to = dst.item(item);
      for (std::int64_t i = 0; i < dst.width; ++i) to[i] = right[i] + open[one_number ? 0 : i] * (left[i] - right[i]);
    });
    binding.give(dst);
  });
}

std::unique_ptr<PackedStep> pack_concat(const PackContext&) {
  return std::make_unique<Unweighted>([](StepBinding& binding) {
    std::int64_t width = 0;
    for (std::size_t i = 0; i < binding.src_count(); ++i) width += binding.src(i).width;
    const StepView dst = binding.make(width);
    std::int64_t column = 0;
    for (std::size_t i = 0; i < binding.src_count(); ++i) {
      const Reader src(binding, i);
      binding.each_item(StepPart::kGather, src.view.width, [=](std::int64_t item) {
        std::copy_n(src.row(item, 0), src.view.width, dst.item(item) + column);
      });
      column += src.view.width;
    }
    binding.give(dst);
  });
}

std::unique_ptr<PackedStep> pack_unit(const PackContext& node) {
  const std::int64_t heads = node.view.attributes().count("heads");
  return std::make_unique<Unweighted>([heads](StepBinding& binding) {
    const Reader src(binding, 0);
    const StepView dst = binding.make(src.view.width, src.view.cells);
    const std::int64_t share = src.view.width / heads;
    each_row(binding, StepPart::kAttention, dst, [=](std::int64_t item, std::int64_t r) {
      for (std::int64_t head = 0; head < heads; ++head) {
        const float* from = src.row(item, r) + head * share;
        float square = 0;
        dnn::dots_with_rows(from, from, 1, &square, share);
        dnn::scale({from, floats(share)}, square > 0 ? 1 / std::sqrt(square) : 0, row_of(dst, item, r) + head * share);
      }
    });
    binding.give(dst);
  });
}

std::unique_ptr<PackedStep> pack_scale(const PackContext& node) {
  const float factor = node.tensor(".weight", {1, 1}).data()[0];
  return std::make_unique<Unweighted>([factor](StepBinding& binding) {
    const Reader src(binding, 0);
    const StepView dst = binding.make(src.view.width, src.view.cells);
    each_row(binding, StepPart::kGates, dst, [=](std::int64_t item, std::int64_t r) {
      dnn::scale({src.row(item, r), floats(dst.width)}, factor, row_of(dst, item, r));
    });
    binding.give(dst);
  });
}

}  // namespace glimpse::ops
