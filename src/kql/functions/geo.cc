// Places on the globe, as a sphere of radius 6,371,010 m. GeoJSON has longitude before latitude.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "kql/functions/json.h"
#include "kql/functions/list.h"
#include "kql/functions/tables.h"
#include "kql/functions/text.h"

namespace egret::kql {
namespace {

using functions::ArrayOut;

constexpr double kRadius = 6'371'010;
constexpr double kDegree = M_PI / 180;

struct Vec {
  double x, y, z;
};
Vec cross(Vec a, Vec b) { return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x}; }
double dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
double length(Vec a) { return std::sqrt(dot(a, a)); }
double angle(Vec a, Vec b) { return std::atan2(length(cross(a, b)), dot(a, b)); }

struct Point {
  double longitude, latitude;
  bool operator==(const Point&) const = default;
};
bool is_place(Point p) { return std::fabs(p.longitude) <= 180 && std::fabs(p.latitude) <= 90; }
Vec vec(Point p) {
  const double l = p.longitude * kDegree, f = p.latitude * kDegree;
  return {std::cos(f) * std::cos(l), std::cos(f) * std::sin(l), std::sin(f)};
}

// From a point to the nearer of the arc's points.
double distance_to_arc(Vec p, Vec a, Vec b) {
  const Vec normal = cross(a, b);
  const double n = length(normal);
  if (n > 1e-15 && dot(cross(normal, a), p) >= 0 && dot(cross(b, normal), p) >= 0)
    return std::fabs(std::asin(std::clamp(dot(normal, p) / n, -1.0, 1.0)));
  return std::min(angle(p, a), angle(p, b));
}

using Line = std::vector<Point>;

std::optional<Line> line_of(std::string_view coordinates) {
  if (json::kind(coordinates) != json::Kind::kArray) return {};
  Line line;
  json::Elements it(coordinates);
  for (std::string_view e; it.next(e);) {
    const auto x = json::number(json::element(e, 0)), y = json::number(json::element(e, 1));
    if (!x || !y || !is_place({*x, *y})) return {};
    line.push_back({*x, *y});
  }
  return line;
}
// LineString and MultiLineString.
std::optional<std::vector<Line>> lines_of(std::string_view raw) {
  const std::string type = json::text(json::member(raw, "type"));
  const std::string_view coordinates = json::member(raw, "coordinates");
  std::vector<Line> lines;
  if (type == "LineString") {
    auto line = line_of(coordinates);
    if (!line) return {};
    lines.push_back(*std::move(line));
  } else if (type == "MultiLineString") {
    json::Elements it(coordinates);
    for (std::string_view e; it.next(e);) {
      auto line = line_of(e);
      if (!line) return {};
      lines.push_back(*std::move(line));
    }
  }
  for (const Line& l : lines)
    if (l.size() < 2) return {};
  if (lines.empty()) return {};
  return lines;
}
// Polygon and MultiPolygon: the rings of each, the outer one first. A ring is closed and has three different corners.
std::optional<std::vector<std::vector<Line>>> polygons_of(std::string_view raw) {
  const std::string type = json::text(json::member(raw, "type"));
  std::vector<std::string_view> parts;
  if (type == "Polygon") parts.push_back(json::member(raw, "coordinates"));
  if (type == "MultiPolygon") parts = json::elements(json::member(raw, "coordinates"));
  std::vector<std::vector<Line>> polygons;
  for (const std::string_view part : parts) {
    std::vector<Line>& rings = polygons.emplace_back();
    json::Elements it(part);
    for (std::string_view e; it.next(e);) {
      auto ring = line_of(e);
      if (!ring || ring->size() < 4 || ring->front() != ring->back()) return {};
      for (size_t i = 0; i + 1 < ring->size(); ++i)
        if ((*ring)[i] == (*ring)[i + 1]) return {};
      rings.push_back(*std::move(ring));
    }
    if (rings.empty()) return {};
  }
  if (polygons.empty()) return {};
  return polygons;
}

double length_of(const Line& line) {
  double sum = 0;
  for (size_t i = 0; i + 1 < line.size(); ++i) sum += angle(vec(line[i]), vec(line[i + 1]));
  return sum;
}

// Signed spherical area of a ring, from the triangles between its first corner and each edge.
double area_of(const Line& ring) {
  double sum = 0;
  const Vec o = vec(ring[0]);
  for (size_t i = 1; i + 2 < ring.size(); ++i) {
    const Vec a = vec(ring[i]), b = vec(ring[i + 1]);
    sum += 2 * std::atan2(dot(o, cross(a, b)), 1 + dot(o, a) + dot(a, b) + dot(b, o));
  }
  return sum;
}

double normal_longitude(double d) { return d - 360 * std::floor((d + 180) / 360); }

// Counts the edges, which are great circles, that cross the meridian north of the point.
bool in_ring(Point p, const Line& ring) {
  bool inside = false;
  for (size_t i = 0; i + 1 < ring.size(); ++i) {
    const double a = normal_longitude(ring[i].longitude - p.longitude), b = normal_longitude(ring[i + 1].longitude - p.longitude);
    if ((a > 0) == (b > 0) || std::fabs(a - b) >= 180) continue;
    const double tan_a = std::tan(ring[i].latitude * kDegree), tan_b = std::tan(ring[i + 1].latitude * kDegree);
    const double crossing =
        std::atan((tan_a * std::sin(b * kDegree) - tan_b * std::sin(a * kDegree)) / std::sin((b - a) * kDegree)) / kDegree;
    if (crossing > p.latitude) inside = !inside;
  }
  return inside;
}
bool in_polygon(Point p, const std::vector<Line>& rings) {
  if (!in_ring(p, rings[0])) return false;
  for (size_t i = 1; i < rings.size(); ++i)
    if (in_ring(p, rings[i])) return false;
  return true;
}

void distance_2points(const Args& a, Out& out) {
  const Point p{a.real(0), a.real(1)}, q{a.real(2), a.real(3)};
  if (!is_place(p) || !is_place(q)) return out.null();
  out.real(angle(vec(p), vec(q)) * kRadius);
}
void point_in_circle(const Args& a, Out& out) {
  const Point p{a.real(0), a.real(1)}, q{a.real(2), a.real(3)};
  if (!is_place(p) || !is_place(q) || !(a.real(4) >= 0)) return out.null();
  out.boolean(angle(vec(p), vec(q)) * kRadius <= a.real(4));
}
void point_in_polygon(const Args& a, Out& out) {
  const Point p{a.real(0), a.real(1)};
  const auto polygons = polygons_of(a.text(2));
  if (!is_place(p) || !polygons) return out.null();
  out.boolean(std::any_of(polygons->begin(), polygons->end(), [&](const auto& rings) { return in_polygon(p, rings); }));
}
double distance_to_line(Vec p, const Line& line) {
  double least = INFINITY;
  for (size_t i = 0; i + 1 < line.size(); ++i) least = std::min(least, distance_to_arc(p, vec(line[i]), vec(line[i + 1])));
  return least;
}
void point_to_line(const Args& a, Out& out) {
  const Point p{a.real(0), a.real(1)};
  const auto lines = lines_of(a.text(2));
  if (!is_place(p) || !lines) return out.null();
  double least = INFINITY;
  for (const Line& l : *lines) least = std::min(least, distance_to_line(vec(p), l));
  out.real(least * kRadius);
}
void point_to_polygon(const Args& a, Out& out) {
  const Point p{a.real(0), a.real(1)};
  const auto polygons = polygons_of(a.text(2));
  if (!is_place(p) || !polygons) return out.null();
  double least = INFINITY;
  for (const auto& rings : *polygons) {
    if (in_polygon(p, rings)) return out.real(0);
    for (const Line& ring : rings) least = std::min(least, distance_to_line(vec(p), ring));
  }
  out.real(least * kRadius);
}
void line_length(const Args& a, Out& out) {
  const auto lines = lines_of(a.text(0));
  if (!lines) return out.null();
  double sum = 0;
  for (const Line& l : *lines) sum += length_of(l);
  out.real(sum * kRadius);
}
void polygon_perimeter(const Args& a, Out& out) {
  const auto polygons = polygons_of(a.text(0));
  if (!polygons) return out.null();
  double sum = 0;
  for (const Line& ring : (*polygons)[0]) sum += length_of(ring);
  out.real(sum * kRadius);
}
void polygon_area(const Args& a, Out& out) {
  const auto polygons = polygons_of(a.text(0));
  if (!polygons) return out.null();
  double area = 0;
  for (size_t i = 0; i < (*polygons)[0].size(); ++i) area += (i ? -1 : 1) * std::fabs(area_of((*polygons)[0][i]));
  out.real(area * kRadius * kRadius);
}

// ---- geohash ----

constexpr std::string_view kDigits = "0123456789bcdefghjkmnpqrstuvwxyz";

struct Cell {
  double west = -180, east = 180, south = -90, north = 90;
  Point centre() const { return {(west + east) / 2, (south + north) / 2}; }
};

std::string geohash(Point p, int64_t digits) {
  Cell c;
  std::string hash;
  bool longitude = true;
  for (int64_t i = 0; i < digits; ++i) {
    size_t digit = 0;
    for (int bit = 0; bit < 5; ++bit, longitude = !longitude) {
      double& low = longitude ? c.west : c.south;
      double& high = longitude ? c.east : c.north;
      const double middle = (low + high) / 2;
      const bool upper = (longitude ? p.longitude : p.latitude) >= middle;
      (upper ? low : high) = middle;
      digit = digit * 2 + upper;
    }
    hash += kDigits[digit];
  }
  return hash;
}
std::optional<Cell> cell_of(std::string_view hash) {
  if (hash.empty() || hash.size() > 18) return {};
  Cell c;
  bool longitude = true;
  for (const char ch : hash) {
    const size_t digit = kDigits.find(functions::lower(ch));
    if (digit == std::string_view::npos) return {};
    for (int bit = 4; bit >= 0; --bit, longitude = !longitude) {
      double& low = longitude ? c.west : c.south;
      double& high = longitude ? c.east : c.north;
      ((digit >> bit & 1) ? low : high) = (low + high) / 2;
    }
  }
  return c;
}
void point_to_geohash(const Args& a, Out& out) {
  const Point p{a.real(0), a.real(1)};
  if (a.null(0) || a.null(1) || a.null(2) || !is_place(p) || a.integer(2) < 1 || a.integer(2) > 18) return out.text({});
  out.text(geohash(p, a.integer(2)));
}
void geohash_centre(const Args& a, Out& out) {
  const auto c = cell_of(a.text(0));
  if (!c) return out.null();
  out.text(fmt::format(R"({{"type":"Point","coordinates":[{},{}]}})", c->centre().longitude, c->centre().latitude));
}
void geohash_polygon(const Args& a, Out& out) {
  const auto c = cell_of(a.text(0));
  if (!c) return out.null();
  out.text(fmt::format(R"({{"type":"Polygon","coordinates":[[[{0},{2}],[{1},{2}],[{1},{3}],[{0},{3}],[{0},{2}]]]}})", c->west, c->east,
                       c->south, c->north));
}
void geohash_neighbours(const Args& a, Out& out) {
  const auto c = cell_of(a.text(0));
  if (!c) return out.null();
  const double width = c->east - c->west, height = c->north - c->south;
  ArrayOut list(out.scratch);
  // In the documented order.
  static constexpr int kSteps[][2] = {{-1, -1}, {-1, 1}, {1, -1}, {0, 1}, {-1, 0}, {1, 1}, {1, 0}, {0, -1}};
  for (const auto& [dx, dy] : kSteps) {
    const Point p{normal_longitude(c->centre().longitude + dx * width), c->centre().latitude + dy * height};
    if (std::fabs(p.latitude) <= 90) list.add(json_quote(geohash(p, static_cast<int64_t>(a.text(0).size()))));
  }
  out.text(list.done());
}

constexpr Native kNatives[] = {
    native<distance_2points>("k_geo_distance", "rrrr>r"),  native<point_in_circle>("k_geo_in_circle", "rrrrr>b"),
    native<point_in_polygon>("k_geo_in_polygon", "rrd>b"), native<point_to_line>("k_geo_to_line", "rrd>r"),
    native<point_to_polygon>("k_geo_to_polygon", "rrd>r"), native<line_length>("k_geo_line_length", "d>r"),
    native<polygon_perimeter>("k_geo_perimeter", "d>r"),   native<polygon_area>("k_geo_area", "d>r"),
    native<point_to_geohash>("k_geohash", "RRL>s"),        native<geohash_centre>("k_geohash_centre", "s>d"),
    native<geohash_polygon>("k_geohash_polygon", "s>d"),   native<geohash_neighbours>("k_geohash_neighbours", "s>d"),
};

constexpr ScalarFunction kRows[] = {
    {.name = "geo_distance_2points",
     .syntax = "geo_distance_2points(longitude, latitude, longitude, latitude)",
     .doc = "Metres between two points.",
     .min_args = 4,
     .max_args = 4,
     .types = "rrrr>r",
     .sql = "k_geo_distance({*})"},
    {.name = "geo_point_in_circle",
     .syntax = "geo_point_in_circle(longitude, latitude, centre longitude, centre latitude, metres)",
     .doc = "Whether the point lies in the circle.",
     .min_args = 5,
     .max_args = 5,
     .types = "rrrrr>b",
     .sql = "k_geo_in_circle({*})"},
    {.name = "geo_point_in_polygon",
     .syntax = "geo_point_in_polygon(longitude, latitude, polygon)",
     .doc = "Whether the point lies in the polygon.",
     .min_args = 3,
     .max_args = 3,
     .types = "rrd>b",
     .sql = "k_geo_in_polygon({*})"},
    {.name = "geo_distance_point_to_line",
     .syntax = "geo_distance_point_to_line(longitude, latitude, line)",
     .doc = "Metres from the point to the line.",
     .min_args = 3,
     .max_args = 3,
     .types = "rrd>r",
     .sql = "k_geo_to_line({*})"},
    {.name = "geo_distance_point_to_polygon",
     .syntax = "geo_distance_point_to_polygon(longitude, latitude, polygon)",
     .doc = "Metres from the point to the polygon, 0 inside.",
     .min_args = 3,
     .max_args = 3,
     .types = "rrd>r",
     .sql = "k_geo_to_polygon({*})"},
    {.name = "geo_line_length",
     .syntax = "geo_line_length(line)",
     .doc = "Metres along the line.",
     .min_args = 1,
     .max_args = 1,
     .types = "d>r",
     .sql = "k_geo_line_length({0})"},
    {.name = "geo_polygon_perimeter",
     .syntax = "geo_polygon_perimeter(polygon)",
     .doc = "Metres around one polygon.",
     .min_args = 1,
     .max_args = 1,
     .types = "d>r",
     .sql = "CASE WHEN k_dyn_path_string({0}, '.type') = 'MultiPolygon' THEN error('geo_polygon_perimeter() of a MultiPolygon is not "
            "supported') ELSE k_geo_perimeter({0}) END"},
    {.name = "geo_polygon_area",
     .syntax = "geo_polygon_area(polygon)",
     .doc = "Square metres of one polygon.",
     .min_args = 1,
     .max_args = 1,
     .types = "d>r",
     .sql = "CASE WHEN k_dyn_path_string({0}, '.type') = 'MultiPolygon' THEN error('geo_polygon_area() of a MultiPolygon is not "
            "supported') ELSE k_geo_area({0}) END"},
    {.name = "geo_point_to_geohash",
     .syntax = "geo_point_to_geohash(longitude, latitude [, accuracy])",
     .doc = "The geohash of the point, '' when it is none.",
     .min_args = 2,
     .max_args = 3,
     .types = "rrl>s",
     .emit = [](std::span<const Typed> args, const EmitContext&) -> Emitted {
       return Typed{.sql = fmt::format("k_geohash({}, {}, {})", args[0].sql, args[1].sql, args.size() > 2 ? args[2].sql : "5"),
                    .is_constant = args[0].is_constant && args[1].is_constant};
     }},
    {.name = "geo_geohash_to_central_point",
     .syntax = "geo_geohash_to_central_point(geohash)",
     .doc = "The middle of the cell, as GeoJSON.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>d",
     .sql = "k_geohash_centre({0})"},
    {.name = "geo_geohash_to_polygon",
     .syntax = "geo_geohash_to_polygon(geohash)",
     .doc = "The cell, as GeoJSON.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>d",
     .sql = "k_geohash_polygon({0})"},
    {.name = "geo_geohash_neighbors",
     .syntax = "geo_geohash_neighbors(geohash)",
     .doc = "The cells around it.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>d",
     .sql = "k_geohash_neighbours({0})"},
};

}  // namespace

namespace functions {
const FunctionTable kGeo{kRows, kNatives};
}

}  // namespace egret::kql
