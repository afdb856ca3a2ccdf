// Which of the less usual ways to log a fleet has.
#include "drill/writers.h"

namespace egret::drill {

Forms forms_of(const World& world) {
  Forms f;
  if (!world.scenario->varied_logs) return f;
  const auto has = [&](std::string_view what, double share) { return Random(world.seed).fork(what).chance(share); };
  f.hubble = has("form hubble", 0.45);
  f.hubble_dns = f.hubble && has("form hubble dns", 0.6);
  f.dns_proxy = has("form dns proxy", 0.6);
  f.dns_policy = has("form dns policy", 0.35);
  f.repeats = has("form repeats", 0.5);
  switch (Random(world.seed).fork("form alert").below(5)) {
    case 0: f.alert = Forms::Alert::kPortalCsv; break;
    case 1: f.alert = Forms::Alert::kGraph; break;
    case 2: f.alert = Forms::Alert::kLogicApp; break;
    default: break;
  }
  f.alert_twice = has("form alert twice", 0.3);
  return f;
}

}  // namespace egret::drill
