use std::collections::HashMap;

/// Jobs by name; the oldest of each comes first.
pub struct Queue<'a, T> {
    jobs: HashMap<&'a str, Vec<T>>,
    limit: usize,
}

impl<'a, T: Clone> Queue<'a, T> {
    pub fn new(limit: usize) -> Self {
        Self { jobs: HashMap::new(), limit }
    }

    pub fn push(&mut self, name: &'a str, job: T) -> Result<(), String> {
        let waiting = self.jobs.entry(name).or_insert_with(Vec::new);
        if waiting.len() >= self.limit {
            return Err(format!("{name}: {} jobs wait already", waiting.len()));
        }
        waiting.push(job);
        Ok(())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> + '_ {
        self.jobs.iter().filter(|(_, jobs)| !jobs.is_empty()).map(|(name, _)| *name)
    }
}
