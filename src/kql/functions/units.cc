// convert_*: one unit into another. Only units whose size is exact or the same everywhere; those that Microsoft's own table rounds in its
// own way (volumes, temperatures, astronomical masses, electron volts, knots) are refused by name rather than answered nearly.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numbers>

#include "base/text.h"
#include "kql/functions/tables.h"

namespace egret::kql {
namespace {

struct Unit {
  std::string_view name;
  double size;  // in the first unit of its table; 0: known, but not supported
};

constexpr double kInch = 0.0254, kFoot = 0.3048, kYard = 0.9144, kSurveyFoot = 1200.0 / 3937, kMile = 1609.344, kHour = 3600, kMinute = 60;
constexpr double kPound = 0.45359237, kGravity = 9.80665, kBtu = 1055.05585262, kDegree = std::numbers::pi / 180;
constexpr double kLightYear = 9.46073047258e15, kParsec = 3.08567758128e16;

constexpr Unit kAngle[] = {
    {"Radian", 1},
    {"Arcminute", kDegree / 60},
    {"Arcsecond", kDegree / 3600},
    {"Centiradian", 1e-2},
    {"Deciradian", 1e-1},
    {"Degree", kDegree},
    {"Gradian", std::numbers::pi / 200},
    {"Microdegree", kDegree * 1e-6},
    {"Microradian", 1e-6},
    {"Millidegree", kDegree * 1e-3},
    {"Milliradian", 1e-3},
    {"Nanodegree", kDegree * 1e-9},
    {"Nanoradian", 1e-9},
    {"NatoMil", std::numbers::pi / 3200},
    {"Revolution", 2 * std::numbers::pi},
    {"Tilt", 0},
};

constexpr Unit kEnergy[] = {
    {"Joule", 1},
    {"BritishThermalUnit", kBtu},
    {"Calorie", 4.184},
    {"DecathermEc", kBtu * 1e6},
    {"DecathermImperial", 0},
    {"DecathermUs", 1.054804e9},
    {"ElectronVolt", 0},
    {"Erg", 1e-7},
    {"FootPound", 0},
    {"GigabritishThermalUnit", kBtu * 1e9},
    {"GigaelectronVolt", 0},
    {"Gigajoule", 1e9},
    {"GigawattDay", 86400e9},
    {"GigawattHour", 3600e9},
    {"HorsepowerHour", 0},
    {"KilobritishThermalUnit", kBtu * 1e3},
    {"Kilocalorie", 4184},
    {"KiloelectronVolt", 0},
    {"Kilojoule", 1e3},
    {"KilowattDay", 86400e3},
    {"KilowattHour", 3600e3},
    {"MegabritishThermalUnit", kBtu * 1e6},
    {"Megacalorie", 4.184e6},
    {"MegaelectronVolt", 0},
    {"Megajoule", 1e6},
    {"MegawattDay", 86400e6},
    {"MegawattHour", 3600e6},
    {"Millijoule", 1e-3},
    {"TeraelectronVolt", 0},
    {"TerawattDay", 86400e12},
    {"TerawattHour", 3600e12},
    {"ThermEc", kBtu * 1e5},
    {"ThermImperial", 0},
    {"ThermUs", 1.054804e8},
    {"WattDay", 86400},
    {"WattHour", 3600},
};

constexpr Unit kForce[] = {
    {"Newton", 1},
    {"Decanewton", 10},
    {"Dyn", 1e-5},
    {"KilogramForce", kGravity},
    {"Kilonewton", 1e3},
    {"KiloPond", kGravity},
    {"KilopoundForce", kPound* kGravity * 1e3},
    {"Meganewton", 1e6},
    {"Micronewton", 1e-6},
    {"Millinewton", 1e-3},
    {"OunceForce", kPound* kGravity / 16},
    {"Poundal", kPound* kFoot},
    {"PoundForce", kPound* kGravity},
    {"ShortTonForce", kPound* kGravity * 2000},
    {"TonneForce", kGravity * 1e3},
};

constexpr Unit kLength[] = {
    {"Meter", 1},
    {"Angstrom", 1e-10},
    {"AstronomicalUnit", 149597870700},
    {"Centimeter", 1e-2},
    {"Chain", 20.1168},
    {"DataMile", 1828.8},
    {"Decameter", 10},
    {"Decimeter", 1e-1},
    {"DtpPica", kInch / 6},
    {"DtpPoint", kInch / 72},
    {"Fathom", 1.8288},
    {"Foot", kFoot},
    {"Hand", 0.1016},
    {"Hectometer", 100},
    {"Inch", kInch},
    {"KilolightYear", kLightYear * 1e3},
    {"Kilometer", 1e3},
    {"Kiloparsec", kParsec * 1e3},
    {"LightYear", kLightYear},
    {"MegalightYear", kLightYear * 1e6},
    {"Megaparsec", kParsec * 1e6},
    {"Microinch", kInch * 1e-6},
    {"Micrometer", 1e-6},
    {"Mil", kInch * 1e-3},
    {"Mile", kMile},
    {"Millimeter", 1e-3},
    {"Nanometer", 1e-9},
    {"NauticalMile", 1852},
    {"Parsec", kParsec},
    {"PrinterPica", 0},
    {"PrinterPoint", 0},
    {"Shackle", 27.432},
    {"SolarRadius", 0},
    {"Twip", kInch / 1440},
    {"UsSurveyFoot", kSurveyFoot},
    {"Yard", kYard},
};

constexpr Unit kMass[] = {
    {"Kilogram", 1},
    {"Centigram", 1e-5},
    {"Decagram", 1e-2},
    {"Decigram", 1e-4},
    {"EarthMass", 0},
    {"Grain", kPound / 7000},
    {"Gram", 1e-3},
    {"Hectogram", 1e-1},
    {"Kilopound", kPound * 1e3},
    {"Kilotonne", 1e6},
    {"LongHundredweight", kPound * 112},
    {"LongTon", kPound * 2240},
    {"Megapound", kPound * 1e6},
    {"Megatonne", 1e9},
    {"Microgram", 1e-9},
    {"Milligram", 1e-6},
    {"Nanogram", 1e-12},
    {"Ounce", kPound / 16},
    {"Pound", kPound},
    {"ShortHundredweight", kPound * 100},
    {"ShortTon", kPound * 2000},
    {"Slug", kPound* kGravity / kFoot},
    {"SolarMass", 0},
    {"Stone", kPound * 14},
    {"Tonne", 1e3},
};

constexpr Unit kSpeed[] = {
    {"MeterPerSecond", 1},
    {"CentimeterPerHour", 1e-2 / kHour},
    {"CentimeterPerMinute", 1e-2 / kMinute},
    {"CentimeterPerSecond", 1e-2},
    {"DecimeterPerMinute", 1e-1 / kMinute},
    {"DecimeterPerSecond", 1e-1},
    {"FootPerHour", kFoot / kHour},
    {"FootPerMinute", kFoot / kMinute},
    {"FootPerSecond", kFoot},
    {"InchPerHour", kInch / kHour},
    {"InchPerMinute", kInch / kMinute},
    {"InchPerSecond", kInch},
    {"KilometerPerHour", 1e3 / kHour},
    {"KilometerPerMinute", 1e3 / kMinute},
    {"KilometerPerSecond", 1e3},
    {"Knot", 0},
    {"MeterPerHour", 1 / kHour},
    {"MeterPerMinute", 1 / kMinute},
    {"MicrometerPerMinute", 1e-6 / kMinute},
    {"MicrometerPerSecond", 1e-6},
    {"MilePerHour", kMile / kHour},
    {"MillimeterPerHour", 1e-3 / kHour},
    {"MillimeterPerMinute", 1e-3 / kMinute},
    {"MillimeterPerSecond", 1e-3},
    {"NanometerPerMinute", 1e-9 / kMinute},
    {"NanometerPerSecond", 1e-9},
    {"UsSurveyFootPerHour", kSurveyFoot / kHour},
    {"UsSurveyFootPerMinute", kSurveyFoot / kMinute},
    {"UsSurveyFootPerSecond", kSurveyFoot},
    {"YardPerHour", kYard / kHour},
    {"YardPerMinute", kYard / kMinute},
    {"YardPerSecond", kYard},
};

// The name of a unit has to be a constant: then what cannot be answered is said while compiling. An unknown name gives null.
template <size_t N>
Emitted convert_unit(std::span<const Typed> args, const Unit (&units)[N]) {
  double size[2];
  for (size_t i = 0; i < 2; ++i) {
    const auto* name = args[i + 1].literal ? std::get_if<std::string>(&*args[i + 1].literal) : nullptr;
    if (!name) return std::unexpected("the name of a unit must be a constant");
    const auto unit = std::find_if(std::begin(units), std::end(units), [&](const Unit& u) { return u.name == *name; });
    if (unit == std::end(units)) return typed_null(model::Type::kReal);
    if (unit->size == 0) return std::unexpected(fmt::format("the unit {} is not supported", *name));
    size[i] = unit->size;
  }
  return Typed{.sql = fmt::format("({} * {:.17g} / {:.17g})", args[0].sql, size[0], size[1]),
               .type = model::Type::kReal,
               .is_constant = args[0].is_constant};
}

template <auto& Units>
Emitted emit(std::span<const Typed> args, const EmitContext&) {
  return convert_unit(args, Units);
}

constexpr ScalarFunction row(std::string_view name, std::string_view syntax, std::string_view doc,
                             Emitted (*emit)(std::span<const Typed>, const EmitContext&)) {
  return {.name = name, .syntax = syntax, .doc = doc, .min_args = 3, .max_args = 3, .types = "rss>r", .emit = emit};
}

constexpr ScalarFunction kRows[] = {
    row("convert_angle", "convert_angle(value, from, to)", "The angle in another unit: 'Degree', 'Radian', 'Arcminute' …", emit<kAngle>),
    row("convert_energy", "convert_energy(value, from, to)", "The energy in another unit: 'Joule', 'KilowattHour', 'Calorie' …",
        emit<kEnergy>),
    row("convert_force", "convert_force(value, from, to)", "The force in another unit: 'Newton', 'PoundForce' …", emit<kForce>),
    row("convert_length", "convert_length(value, from, to)", "The length in another unit: 'Meter', 'Foot', 'Mile' …", emit<kLength>),
    row("convert_mass", "convert_mass(value, from, to)", "The mass in another unit: 'Kilogram', 'Pound' …", emit<kMass>),
    row("convert_speed", "convert_speed(value, from, to)", "The speed in another unit: 'MeterPerSecond', 'KilometerPerHour' …",
        emit<kSpeed>),
};

}  // namespace

namespace functions {
const FunctionTable kUnits{kRows, {}};
}

}  // namespace egret::kql
