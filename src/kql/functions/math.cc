// Numbers: arithmetic, rounding, bits.
#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "kql/functions/tables.h"

namespace egret::kql {
namespace {

using model::Type;

void bin_long(const Args& a, Out& out) {
  const int64_t v = a.integer(0), size = a.integer(1);
  if (size <= 0) return out.null();
  const int64_t rest = v % size;
  out.integer(v - (rest < 0 ? rest + size : rest));
}
void bin_real(const Args& a, Out& out) {
  if (!(a.real(1) > 0)) return out.null();
  out.real(std::floor(a.real(0) / a.real(1)) * a.real(1));
}
void gamma_of(const Args& a, Out& out) { out.real(std::tgamma(a.real(0))); }
void loggamma(const Args& a, Out& out) { out.real(std::lgamma(a.real(0))); }
void erf_of(const Args& a, Out& out) { out.real(std::erf(a.real(0))); }
void erfc_of(const Args& a, Out& out) { out.real(std::erfc(a.real(0))); }
// NaN where the engine would raise an error.
void sqrt_of(const Args& a, Out& out) { a.real(0) < 0 ? out.null() : out.real(std::sqrt(a.real(0))); }
template <auto F>
void logarithm(const Args& a, Out& out) {
  a.real(0) < 0 ? out.null() : out.real(F(a.real(0)));
}
double natural(double v) { return std::log(v); }
double common(double v) { return std::log10(v); }
double binary(double v) { return std::log2(v); }
template <auto F>
void plain(const Args& a, Out& out) {
  out.real(F(a.real(0)));
}
double sine(double v) { return std::sin(v); }
double cosine(double v) { return std::cos(v); }
double tangent(double v) { return std::tan(v); }
double arc_sine(double v) { return std::asin(v); }
double arc_cosine(double v) { return std::acos(v); }
double arc_tangent(double v) { return std::atan(v); }
double cotangent(double v) { return 1 / std::tan(v); }
double exponential(double v) { return std::exp(v); }
double exponential2(double v) { return std::exp2(v); }
double exponential10(double v) { return std::pow(10, v); }
void power(const Args& a, Out& out) { out.real(std::pow(a.real(0), a.real(1))); }
void arc_tangent2(const Args& a, Out& out) { out.real(std::atan2(a.real(0), a.real(1))); }
void shift(const Args& a, Out& out) {  // to the left; to the right when negative
  const int64_t by = a.integer(1);
  const auto v = static_cast<uint64_t>(a.integer(0));
  if (by >= 0) return out.integer(static_cast<int64_t>(v << (by & 63)));
  out.integer(a.integer(0) >> (-by & 63));
}
void count_ones(const Args& a, Out& out) { out.integer(std::popcount(static_cast<uint64_t>(a.integer(0)))); }
void rounded(const Args& a, Out& out) {
  const double scale = std::pow(10.0, static_cast<double>(a.integer(1)));
  const double v = a.real(0) * scale;
  out.real(std::isfinite(v) ? std::round(v) / scale : a.real(0));
}

constexpr Native kNatives[] = {
    native<bin_long>("k_bin_long", "ll>l"),
    native<bin_real>("k_bin_real", "rr>r"),
    native<gamma_of>("k_gamma", "r>r"),
    native<loggamma>("k_loggamma", "r>r"),
    native<erf_of>("k_erf", "r>r"),
    native<erfc_of>("k_erfc", "r>r"),
    native<sqrt_of>("k_sqrt", "r>r"),
    native<logarithm<natural>>("k_log", "r>r"),
    native<logarithm<common>>("k_log10", "r>r"),
    native<logarithm<binary>>("k_log2", "r>r"),
    native<plain<sine>>("k_sin", "r>r"),
    native<plain<cosine>>("k_cos", "r>r"),
    native<plain<tangent>>("k_tan", "r>r"),
    native<plain<arc_sine>>("k_asin", "r>r"),
    native<plain<arc_cosine>>("k_acos", "r>r"),
    native<plain<arc_tangent>>("k_atan", "r>r"),
    native<plain<cotangent>>("k_cot", "r>r"),
    native<plain<exponential>>("k_exp", "r>r"),
    native<plain<exponential2>>("k_exp2", "r>r"),
    native<plain<exponential10>>("k_exp10", "r>r"),
    native<power>("k_pow", "rr>r"),
    native<arc_tangent2>("k_atan2", "rr>r"),
    native<shift>("k_shift", "ll>l"),
    native<count_ones>("k_count_ones", "l>l"),
    native<rounded>("k_round", "rl>r"),
};

bool is_span(Type t) { return t == Type::kDatetime || t == Type::kTimespan; }
bool is_whole(Type t) { return t == Type::kInt || t == Type::kLong; }

std::string number_expected(std::string_view f, Type t) {
  return fmt::format("{}() takes a number, a timespan or a datetime, not {}", f, model::type_name(t));
}

Typed undynamic(const Typed& v) { return v.type == Type::kDynamic ? convert(v, Type::kReal) : v; }

// bin(value, size) and bin_at(value, size, at)
Emitted emit_bin(std::span<const Typed> given, const EmitContext&) {
  const Typed value = undynamic(given[0]), size = undynamic(given[1]);
  const bool constant = value.is_constant && size.is_constant;
  if (is_span(value.type)) {
    if (size.type != Type::kTimespan && !is_whole(size.type) && !size.is_null_literal)
      return std::unexpected(
          fmt::format("bin() of a {} takes a timespan as size, not {}", model::type_name(value.type), model::type_name(size.type)));
    return Typed{.sql = fmt::format("k_bin_long({}, {})", value.sql, size.sql), .type = value.type, .is_constant = constant};
  }
  if (!is_numeric(value.type)) return std::unexpected(number_expected("bin", value.type));
  if (is_whole(value.type) && is_whole(size.type)) {
    const Type type = value.type == Type::kInt && size.type == Type::kInt ? Type::kInt : Type::kLong;
    const std::string sql = fmt::format("k_bin_long({}, {})", value.sql, size.sql);
    return Typed{.sql = type == Type::kInt ? "CAST(" + sql + " AS INTEGER)" : sql, .type = type, .is_constant = constant};
  }
  auto by = coerce(size, Type::kReal);
  if (!by) return std::unexpected("the size of bin() " + by.error());
  return Typed{
      .sql = fmt::format("k_bin_real({}, {})", convert(value, Type::kReal).sql, by->sql), .type = Type::kReal, .is_constant = constant};
}

Emitted emit_bin_at(std::span<const Typed> args, const EmitContext&) {
  const Typed value = undynamic(args[0]), size = undynamic(args[1]), at = undynamic(args[2]);
  const bool constant = value.is_constant && size.is_constant && at.is_constant;
  if (is_span(value.type) || (is_whole(value.type) && is_whole(size.type) && is_whole(at.type)))
    return Typed{.sql = fmt::format("({2} + k_bin_long({0} - {2}, {1}))", value.sql, size.sql, at.sql),
                 .type = value.type == Type::kInt ? Type::kLong : value.type,
                 .is_constant = constant};
  if (!is_numeric(value.type)) return std::unexpected(number_expected("bin_at", value.type));
  return Typed{.sql = fmt::format("({2} + k_bin_real({0} - {2}, {1}))", convert(value, Type::kReal).sql, convert(size, Type::kReal).sql,
                                  convert(at, Type::kReal).sql),
               .type = Type::kReal,
               .is_constant = constant};
}

Emitted emit_floor(std::span<const Typed> args, const EmitContext& context) {
  if (args.size() == 2) return emit_bin(args, context);
  auto v = coerce(args[0], Type::kReal);
  if (!v) return std::unexpected("floor() of this " + v.error());
  return Typed{.sql = fmt::format("floor({})", v->sql), .type = Type::kReal, .is_constant = v->is_constant};
}

Emitted emit_ceiling(std::span<const Typed> args, const EmitContext&) {
  auto v = coerce(args[0], Type::kReal);
  if (!v) return std::unexpected("ceiling() of this " + v.error());
  if (is_whole(args[0].type)) return args[0];
  return Typed{.sql = fmt::format("ceil({})", v->sql), .type = Type::kReal, .is_constant = v->is_constant};
}

Emitted emit_abs(std::span<const Typed> args, const EmitContext&) {
  const Typed v = undynamic(args[0]);
  if (!is_numeric(v.type) && v.type != Type::kTimespan) return std::unexpected(number_expected("abs", v.type));
  return Typed{.sql = fmt::format("abs({})", v.sql), .type = v.type, .is_constant = v.is_constant};
}

Emitted emit_sign(std::span<const Typed> args, const EmitContext&) {
  const Typed v = undynamic(args[0]);
  if (!is_numeric(v.type)) return std::unexpected(number_expected("sign", v.type));
  return Typed{.sql = fmt::format("CAST(sign({}) AS BIGINT)", v.sql), .type = Type::kLong, .is_constant = v.is_constant};
}

Emitted emit_round(std::span<const Typed> args, const EmitContext&) {
  auto v = coerce(args[0], Type::kReal);
  if (!v) return std::unexpected("the value of round() " + v.error());
  auto digits = args.size() > 1 ? coerce(args[1], Type::kLong) : Emitted(typed_literal(Type::kLong, int64_t{0}));
  if (!digits) return std::unexpected("the precision of round() " + digits.error());
  return Typed{.sql = fmt::format("k_round({}, {})", v->sql, digits->sql), .type = Type::kReal, .is_constant = v->is_constant};
}

Emitted emit_around(std::span<const Typed> args, const EmitContext&) {
  const Typed &v = args[0], &center = args[1], &delta = args[2];
  return Typed{
      .sql = fmt::format("({0} BETWEEN {1} - {2} AND {1} + {2})", v.sql, center.sql, delta.sql), .type = Type::kBool, .is_constant = false};
}

Emitted emit_rand(std::span<const Typed> args, const EmitContext&) {
  if (args.empty()) return Typed{.sql = "random()", .type = Type::kReal};
  auto n = coerce(args[0], Type::kLong);
  if (!n) return n;
  return Typed{.sql = fmt::format("CAST(floor(random() * {}) AS BIGINT)", n->sql), .type = Type::kLong};
}

// One argument, real to real, by the kernel of that name.
#define EGRET_REAL_FUNCTION(NAME, KERNEL, DOC) \
  {.name = NAME, .syntax = NAME "(number)", .doc = DOC, .min_args = 1, .max_args = 1, .types = "r>r", .sql = KERNEL "({0})"}

constexpr ScalarFunction kRows[] = {
    {.name = "bin",
     .syntax = "bin(value, size)",
     .doc = "The greatest multiple of size that is not above the value.",
     .min_args = 2,
     .max_args = 2,
     .emit = emit_bin},
    {.name = "floor",
     .syntax = "floor(value [, size])",
     .doc = "The same as bin; without size the whole number below.",
     .min_args = 1,
     .max_args = 2,
     .emit = emit_floor},
    {.name = "bin_at",
     .syntax = "bin_at(value, size, at)",
     .doc = "bin with boundaries counted from `at`.",
     .min_args = 3,
     .max_args = 3,
     .emit = emit_bin_at},
    {.name = "ceiling", .syntax = "ceiling(number)", .doc = "The whole number above.", .min_args = 1, .max_args = 1, .emit = emit_ceiling},
    {.name = "abs", .syntax = "abs(value)", .doc = "The value without its sign.", .min_args = 1, .max_args = 1, .emit = emit_abs},
    {.name = "sign", .syntax = "sign(number)", .doc = "-1, 0 or 1.", .min_args = 1, .max_args = 1, .emit = emit_sign},
    {.name = "round",
     .syntax = "round(number [, precision])",
     .doc = "Rounded to so many digits behind the point.",
     .min_args = 1,
     .max_args = 2,
     .emit = emit_round},
    {.name = "around",
     .syntax = "around(value, center, delta)",
     .doc = "Whether the value is within delta of center.",
     .min_args = 3,
     .max_args = 3,
     .emit = emit_around},
    {.name = "rand",
     .syntax = "rand([n])",
     .doc = "A random number from 0 to 1, or a whole one below n.",
     .min_args = 0,
     .max_args = 1,
     .emit = emit_rand,
     .is_volatile = true},
    EGRET_REAL_FUNCTION("sqrt", "k_sqrt", "Square root; null of a negative number."),
    EGRET_REAL_FUNCTION("log", "k_log", "Natural logarithm."),
    EGRET_REAL_FUNCTION("log10", "k_log10", "Logarithm to base 10."),
    EGRET_REAL_FUNCTION("log2", "k_log2", "Logarithm to base 2."),
    EGRET_REAL_FUNCTION("exp", "k_exp", "e to that power."),
    EGRET_REAL_FUNCTION("exp2", "k_exp2", "2 to that power."),
    EGRET_REAL_FUNCTION("exp10", "k_exp10", "10 to that power."),
    EGRET_REAL_FUNCTION("sin", "k_sin", "Sine of radians."),
    EGRET_REAL_FUNCTION("cos", "k_cos", "Cosine of radians."),
    EGRET_REAL_FUNCTION("tan", "k_tan", "Tangent of radians."),
    EGRET_REAL_FUNCTION("asin", "k_asin", "Arc sine in radians."),
    EGRET_REAL_FUNCTION("acos", "k_acos", "Arc cosine in radians."),
    EGRET_REAL_FUNCTION("atan", "k_atan", "Arc tangent in radians."),
    EGRET_REAL_FUNCTION("cot", "k_cot", "Cotangent of radians."),
    EGRET_REAL_FUNCTION("gamma", "k_gamma", "Gamma function."),
    EGRET_REAL_FUNCTION("loggamma", "k_loggamma", "Logarithm of the gamma function."),
    EGRET_REAL_FUNCTION("erf", "k_erf", "Error function."),
    EGRET_REAL_FUNCTION("erfc", "k_erfc", "Complementary error function."),
    EGRET_REAL_FUNCTION("degrees", "degrees", "Radians as degrees."),
    EGRET_REAL_FUNCTION("radians", "radians", "Degrees as radians."),
    {.name = "pow",
     .syntax = "pow(base, exponent)",
     .doc = "base to the power of exponent.",
     .min_args = 2,
     .max_args = 2,
     .types = "rr>r",
     .sql = "k_pow({0}, {1})"},
    {.name = "atan2",
     .syntax = "atan2(y, x)",
     .doc = "Angle of the point in radians.",
     .min_args = 2,
     .max_args = 2,
     .types = "rr>r",
     .sql = "k_atan2({0}, {1})"},
    {.name = "pi", .syntax = "pi()", .doc = "3.14159…", .min_args = 0, .max_args = 0, .types = ">r", .sql = "pi()"},
    {.name = "isnan",
     .syntax = "isnan(number)",
     .doc = "Whether the value is NaN.",
     .min_args = 1,
     .max_args = 1,
     .types = "r>b",
     .sql = "isnan({0})"},
    {.name = "isinf",
     .syntax = "isinf(number)",
     .doc = "Whether the value is infinite.",
     .min_args = 1,
     .max_args = 1,
     .types = "r>b",
     .sql = "isinf({0})"},
    {.name = "isfinite",
     .syntax = "isfinite(number)",
     .doc = "Whether the value is neither infinite nor NaN.",
     .min_args = 1,
     .max_args = 1,
     .types = "r>b",
     .sql = "isfinite({0})"},
    {.name = "binary_and",
     .syntax = "binary_and(a, b)",
     .doc = "Bits that both have.",
     .min_args = 2,
     .max_args = 2,
     .types = "ll>l",
     .sql = "({0} & {1})"},
    {.name = "binary_or",
     .syntax = "binary_or(a, b)",
     .doc = "Bits that one has.",
     .min_args = 2,
     .max_args = 2,
     .types = "ll>l",
     .sql = "({0} | {1})"},
    {.name = "binary_xor",
     .syntax = "binary_xor(a, b)",
     .doc = "Bits that just one has.",
     .min_args = 2,
     .max_args = 2,
     .types = "ll>l",
     .sql = "xor({0}, {1})"},
    {.name = "binary_not",
     .syntax = "binary_not(a)",
     .doc = "The opposite bits.",
     .min_args = 1,
     .max_args = 1,
     .types = "l>l",
     .sql = "(-1 - {0})"},
    {.name = "binary_shift_left",
     .syntax = "binary_shift_left(value, count)",
     .doc = "Bits shifted to the left, count modulo 64.",
     .min_args = 2,
     .max_args = 2,
     .types = "ll>l",
     .sql = "k_shift({0}, {1} & 63)"},
    {.name = "binary_shift_right",
     .syntax = "binary_shift_right(value, count)",
     .doc = "Bits shifted to the right, count modulo 64.",
     .min_args = 2,
     .max_args = 2,
     .types = "ll>l",
     .sql = "k_shift({0}, -({1} & 63))"},
    {.name = "bitset_count_ones",
     .syntax = "bitset_count_ones(value)",
     .doc = "Number of bits that are set.",
     .min_args = 1,
     .max_args = 1,
     .types = "l>l",
     .sql = "k_count_ones({0})"},
};
#undef EGRET_REAL_FUNCTION

}  // namespace

namespace functions {
const FunctionTable kMath{kRows, kNatives};
}

}  // namespace egret::kql
