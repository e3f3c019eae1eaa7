import Federation

// [model_card]
extension PlanFile {
    enum CardKey: String, SectionKey {
        case intendedUse = "intended_use"
        case limitations
    }

    static func cardPlan(_ section: Section<CardKey>?) throws(Fault) -> ModelCardPlan {
        guard let section else { return ModelCardPlan() }
        return ModelCardPlan(
            intendedUse: try words(section, .intendedUse),
            limitations: try words(section, .limitations))
    }

    private static func words(_ section: Section<CardKey>, _ key: CardKey) throws(Fault) -> String {
        try section.text(
            key,
            "1 to \(ModelCardPlan.largestText) bytes of plain text, without control characters",
            default: ""
        ) { (1...ModelCardPlan.largestText).contains($0.utf8.count) && ModelCardPlan.isPlain($0) }
    }
}
