//! What a column can show that is no field of the lead.

macro_rules! derived {
    ($($variant:ident $word:literal $doc:literal;)*) => {
        /// A value that is no field: computed from the lead and its decision.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Derived { $(#[doc = $doc] $variant,)* }

        impl Derived {
            /// Every derived value with its word, in order.
            pub const ALL: &[(&str, Derived)] = &[$(($word, Self::$variant)),*];
        }
    };
}

derived! {
    LeadId "lead-id" "The lead's public id.";
    FullName "full-name" "First and last name; company or address where there is none.";
    EmailLocalPart "email-local-part" "What stands before the `@`.";
    Segment "segment" "`hot`, `warm` or `cold`.";
    Action "action" "What to do with the lead, as the rules say of its segment or grade.";
    Grade "grade" "Place in the matrix of fit and engagement, from `A1` to `C3`.";
    Score "score" "Total points.";
    Model "model" "Id of the scoring model that decided.";
    ModelScores "model-scores" "Total of each scoring model, the one that decided first: `ai=72; crm=40`.";
    ScoreFit "score-fit" "Points of the group fit.";
    ScoreIntent "score-intent" "Points of the group intent.";
    ScoreBehavior "score-behavior" "Points of the group behavior.";
    ScoreQuality "score-quality" "Points of the group quality.";
    ScoreReasons "score-reasons" "Why the score is what it is, the strongest reason first.";
    Owner "owner" "Owner's id; empty when the lead waits in a queue.";
    OwnerEmail "owner-email" "Owner's e-mail address; empty when the lead waits in a queue.";
    Queue "queue" "Queue's id.";
    RoutingReason "routing-reason" "One line that says why owner and queue are what they are.";
    NSubmissions "n-submissions" "Submissions behind the lead.";
    FirstSubmittedAt "first-submitted-at" "When the earliest submission was sent.";
    LastSubmittedAt "last-submitted-at" "When the latest submission was sent.";
    ConsentMarketingEmail "consent-marketing-email" "`true` when marketing by e-mail is allowed.";
    ConsentMarketingPhone "consent-marketing-phone" "`true` when marketing by phone is allowed.";
    IsNew "is-new" "`true` when this run made the lead.";
    TaskId "task-id" "The task's stable id.";
    TaskSubject "task-subject" "What to do, in one line.";
    TaskText "task-text" "What its template says to the person, or of the lead.";
    TaskChannel "task-channel" "`email`, `call`, `sms` or `task`.";
    TaskDue "task-due" "When it is due.";
    TaskBecause "task-because" "Why it is to be done, and due when it is.";
    OwnerName "owner-name" "Owner's name; empty when the lead waits in a queue.";
    RecordId "record-id" "Id of the target's own record, as its result files told it.";
    ConversionId "conversion-id" "Stable id of the conversion: the lead's and the conversion's.";
    ConversionName "conversion-name" "What the network calls the conversion.";
    ConversionTime "conversion-time" "When the conversion happened.";
    ConversionValue "conversion-value" "What the deal came to, else what the rules say that it is worth.";
    ConversionCurrency "conversion-currency" "Currency of that, ISO 4217.";
}

impl Derived {
    /// Returns the word used in rules.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Returns whether it is an instant, so that `format` applies.
    pub fn is_instant(self) -> bool {
        matches!(
            self,
            Self::FirstSubmittedAt | Self::LastSubmittedAt | Self::TaskDue | Self::ConversionTime
        )
    }

    /// Returns whether only a file of tasks can show it.
    pub(super) fn is_of_task(self) -> bool {
        matches!(
            self,
            Self::TaskId
                | Self::TaskSubject
                | Self::TaskText
                | Self::TaskChannel
                | Self::TaskDue
                | Self::TaskBecause
        )
    }

    /// Returns whether only a file of conversions can show it.
    pub(super) fn is_of_conversion(self) -> bool {
        matches!(
            self,
            Self::ConversionId
                | Self::ConversionName
                | Self::ConversionTime
                | Self::ConversionValue
                | Self::ConversionCurrency
        )
    }

    /// Returns whether it is another from run to run though nothing about the lead is.
    pub fn is_of_run(self) -> bool {
        self == Self::IsNew
    }
}
